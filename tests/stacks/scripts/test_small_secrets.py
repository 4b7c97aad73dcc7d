"""`stacks/small-secrets`: whole secrets or none, and settings with which `small.yaml` starts."""

import pytest

from tests.stacks import rendering
from tests.stacks.scripts.stage import Stage

LINE = "laptop write,read,admin sha256:" + "0" * 64


@pytest.fixture
def made(stage: Stage) -> Stage:
    stage.swarm.logs["run"] = "azt_token"
    stage.swarm.logs["run on standard error"] = f"for TOKENS_FILE:\n{LINE}"
    return stage


def test_every_secret_of_the_stack_is_made_and_the_token_shown_once(made: Stage) -> None:
    done = made.run("small-secrets")
    assert (done.status, done.err) == (0, "")
    assert "token: azt_token" in done.out
    wanted = {name for name in rendering.render("small").secrets if "tokens" not in name}
    assert all((made.stacks / ".secrets" / name).stat().st_size > 40 for name in wanted)
    assert (made.stacks / ".secrets" / "gateway_tokens").read_text("utf-8") == f"{LINE}\n"
    again = made.run("small-secrets")
    assert "token:" not in again.out


def test_a_token_that_could_not_be_made_is_no_token(made: Stage) -> None:
    made.swarm.fates["run"] = "no such image"
    done = made.run("small-secrets")
    assert done.status == 1
    assert "no such image" in done.err
    assert "token:" not in done.out
    assert not (made.stacks / ".secrets" / "gateway_tokens").exists()
    del made.swarm.fates["run"]
    assert "token: azt_token" in made.run("small-secrets").out


def test_nothing_is_left_of_the_making(made: Stage) -> None:
    made.run("small-secrets")
    assert not [path.name for path in (made.stacks / ".secrets").iterdir() if path.name.startswith("making")]


def test_the_settings_are_all_that_the_stack_asks_for(made: Stage) -> None:
    made.run("small-secrets", REGISTRY="registry.test:5000", RELEASE="one")
    images = {service["image"] for service in rendering.render("small", _settings(made)).services.values()}
    assert "registry.test:5000/allezone-application:one" in images


def test_a_second_run_takes_the_checkouts_images_and_keeps_the_clusters_id(made: Stage) -> None:
    """Under another id Kafka would not start on the data that it has."""
    made.run("small-secrets")
    first = _settings(made)
    images = made.stacks / "images.env"
    images.write_text(images.read_text("utf-8").replace(first["POSTGRES_IMAGE"], "postgres:99.1"), "utf-8")
    made.run("small-secrets", RELEASE="two")
    assert _settings(made) == first | {"POSTGRES_IMAGE": "postgres:99.1", "RELEASE": "two"}
    assert len(first["KAFKA_CLUSTER_ID"]) == 22


def test_registry_and_release_have_defaults() -> None:
    variables = rendering.images() | {"KAFKA_CLUSTER_ID": "dGVzdC1jbHVzdGVyLWlkMQ"}
    images = {service["image"] for service in rendering.render("small", variables).services.values()}
    assert "localhost:5000/allezone-application:try" in images


def _settings(made: Stage) -> dict[str, str]:
    lines = (made.stacks / ".secrets" / "settings.env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
