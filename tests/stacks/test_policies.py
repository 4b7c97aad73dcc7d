"""Every policy holds of every stack file that it is about."""

import pytest

from tests.stacks import policies, rendering

FILES = (*rendering.CLUSTER, "small")
# What comes with the stacks to be laid over them, as deployment.env names it.
OVERRIDES = [
    ("1.stateful", ("backup",)),
    ("1.stateful", ("layouts/original.stateful",)),
    ("1.stateful", ("layouts/original.stateful", "backup")),
    ("2.stateless", ("layouts/original.stateless",)),
]
# Jobs that the scripts run once; what they are about is in their variables.
JOBS = {
    "once": {"ARGUMENTS": "dead-letters list"},
    "whole": {"PROGRAM": "print()", "MEMBERS": "kafka1 kafka2", "NETWORK": "kafka"},
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("policy", policies.EVERYWHERE, ids=lambda policy: policy.__name__)
def test_it_holds_everywhere(policy: policies.Policy, name: str) -> None:
    assert list(policy(rendering.render(name))) == []


@pytest.mark.parametrize("name", rendering.CLUSTER)
@pytest.mark.parametrize("policy", policies.IN_A_CLUSTER, ids=lambda policy: policy.__name__)
def test_it_holds_in_a_cluster(policy: policies.Policy, name: str) -> None:
    assert list(policy(rendering.render(name))) == []


@pytest.mark.parametrize(("name", "overrides"), OVERRIDES)
@pytest.mark.parametrize("policy", [*policies.EVERYWHERE, *policies.IN_A_CLUSTER], ids=lambda policy: policy.__name__)
def test_it_holds_with_what_is_laid_over(policy: policies.Policy, name: str, overrides: tuple[str, ...]) -> None:
    assert list(policy(rendering.present(rendering.render(name, overrides=overrides)))) == []


def test_every_file_that_can_be_laid_over_is() -> None:
    laid = {override for _, overrides in OVERRIDES for override in overrides}
    assert laid == {"backup", *(f"layouts/{path.stem}" for path in (rendering.STACKS / "layouts").glob("*.yaml"))}


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("policy", policies.EVERYWHERE, ids=lambda policy: policy.__name__)
def test_it_holds_of_jobs_that_run_once(policy: policies.Policy, name: str) -> None:
    assert list(policy(rendering.render(name, rendering.environment() | JOBS[name]))) == []


@pytest.mark.parametrize("policy", policies.OF_THE_WHOLE, ids=lambda policy: policy.__name__)
def test_it_holds_of_both_files_together(policy: policies.Policy) -> None:
    assert list(policy(rendering.render_cluster())) == []


@pytest.mark.parametrize("name", rendering.CLUSTER)
@pytest.mark.parametrize("variable", ["REGISTRY", "RELEASE"])
def test_a_deployment_says_what_it_deploys(name: str, variable: str) -> None:
    without = {key: value for key, value in rendering.environment().items() if key != variable}
    with pytest.raises(rendering.VariableMissing, match=variable):
        rendering.render(name, without)
