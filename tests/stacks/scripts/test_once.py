"""`stacks/once`: one of the operator's commands in the cluster; it ends as the command did, and leaves nothing."""

import pytest

from tests.stacks.scripts.stage import Stage

COMMAND = "allezone-once_command"


@pytest.fixture
def cluster(stage: Stage) -> Stage:
    stage.write_settings()
    stage.swarm.logs[COMMAND] = "60001 records read"
    return stage


def test_it_shows_what_the_command_said_and_leaves_nothing(cluster: Stage) -> None:
    done = cluster.run("once", "rebuild-profiles", "--wipe")
    assert (done.status, done.out) == (0, "60001 records read\n")
    assert COMMAND not in cluster.swarm.services
    assert "removed allezone-once" in cluster.swarm.events


def test_it_ends_as_the_command_does(cluster: Stage) -> None:
    cluster.swarm.fates[COMMAND] = "fail"
    assert cluster.run("once", "rebuild-profiles").status == 1
    assert COMMAND not in cluster.swarm.services


def test_arguments_arrive_as_they_were_given(cluster: Stage) -> None:
    cluster.swarm.fates[COMMAND] = "hang"
    done = cluster.run("once", "dead-letters", "list", "--group", "a b$c", ONCE_TIMEOUT="0")
    assert done.status == 1
    command = cluster.swarm.services[COMMAND].definition["command"]
    assert command.strip() == r"python -m pipeline dead-letters list --group a\ b\$c"


def test_only_one_at_a_time(cluster: Stage) -> None:
    cluster.swarm.fates[COMMAND] = "hang"
    cluster.run("once", "rebuild-profiles", ONCE_TIMEOUT="0")
    done = cluster.run("once", "rebuild-profiles")
    assert done.status == 1
    assert "one runs already" in done.err


def test_a_file_goes_along_as_a_secret(cluster: Stage) -> None:
    tag = cluster.stacks / "tag.json"
    tag.write_text("{}", "utf-8")
    assert cluster.run("once", "--file", str(tag), "dead-letters", "mend", "1").status == 0
    rendered = next(call for call in cluster.swarm.calls if call[:2] == ["stack", "config"])
    assert any(argument.endswith("once-with-file.yaml") for argument in rendered)


def test_a_command_must_be_named(cluster: Stage) -> None:
    done = cluster.run("once")
    assert (done.status, done.err) == (1, "once: names a command: python -m pipeline --help\n")
