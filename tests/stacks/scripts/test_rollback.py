"""`stacks/rollback`: the release before comes back, without its jobs, and the settings say so."""

import pytest

from tests.stacks.scripts import stage as stages
from tests.stacks.scripts.stage import Stage

GATEWAY = "allezone-stateless_gateway"


@pytest.fixture
def deployed(stage: Stage) -> Stage:
    """app-2 runs, and app-1 ran before it."""
    job = stages.service("application", "pipeline == true")
    job["deploy"]["mode"] = "replicated-job"
    services = {"gateway": stages.service("application", "gateway == true"), "migrations": job}
    stage.write_stack("2.stateless", services)
    stage.swarm.nodes = stages.nodes({"gateway": "true"}, {"pipeline": "true"})
    stage.play_deployed("2.stateless")
    stage.settings["RELEASE"] = "app-2"
    stage.write_settings()
    assert stage.run("deploy", "2.stateless").status == 0
    stage.swarm.events.clear()
    return stage


def test_the_release_before_comes_back(deployed: Stage) -> None:
    done = deployed.run("rollback")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("rollback: app-2 to app-1\n")
    assert _image(deployed).endswith(":app-1")
    assert "RELEASE=app-1\n" in deployed.deployment.read_text("utf-8").splitlines(keepends=True)
    assert "STATEFUL_RELEASE=data-1" in deployed.deployment.read_text("utf-8")


def test_its_jobs_are_not_run(deployed: Stage) -> None:
    deployed.run("rollback")
    assert [event for event in deployed.swarm.events if event.startswith("deployed")] == ["deployed gateway"]


def test_what_swarm_has_rolled_back_itself_is_taken_over(deployed: Stage) -> None:
    deployed.settings["RELEASE"] = "app-3"
    deployed.write_settings()
    deployed.swarm.fates[GATEWAY] = "rollback"
    assert deployed.run("deploy", "2.stateless").status == 1
    done = deployed.run("rollback")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("rollback: app-3 to app-2\n")


def test_the_release_before_is_known_after_more_deployments_of_this_one(deployed: Stage) -> None:
    """Swarm's PreviousSpec is then the same release, with the token of before."""
    assert deployed.run("deploy", "2.stateless").status == 0
    done = deployed.run("rollback")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("rollback: app-2 to app-1\n")


def test_a_release_that_is_still_on_its_way_is_not_deployed_over_itself_and_can_be_rolled_back(deployed: Stage) -> None:
    deployed.settings["RELEASE"] = "app-3"
    deployed.write_settings()
    deployed.swarm.fates[GATEWAY] = "hang"
    assert deployed.run("deploy", "2.stateless", SERVICES_TIMEOUT="1").status == 1
    deployed.swarm.events.clear()
    done = deployed.run("deploy", "2.stateless", SERVICES_TIMEOUT="1")
    assert done.status == 1
    assert "gateway is still being updated to app-3" in done.err
    assert deployed.swarm.events == []
    assert deployed.run("deploy", "2.stateless", "--over", SERVICES_TIMEOUT="1").status == 1
    assert "deployed gateway" in deployed.swarm.events
    del deployed.swarm.fates[GATEWAY]
    done = deployed.run("rollback")
    assert (done.status, done.err) == (0, "")
    assert _image(deployed).endswith(":app-2")


def test_a_release_can_be_named(deployed: Stage) -> None:
    assert deployed.run("rollback", "app-0").status == 0
    assert _image(deployed).endswith(":app-0")


def test_without_a_release_before_nothing_is_done(deployed: Stage) -> None:
    deployed.write_settings()
    done = deployed.run("rollback")
    assert done.status == 1
    assert "nobody knows of a release before app-2" in done.err
    assert "RELEASE=app-2" in deployed.deployment.read_text("utf-8")


def _image(stage: Stage) -> str:
    return str(stage.swarm.services[GATEWAY].definition["image"])
