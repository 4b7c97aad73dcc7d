"""How many targets Prometheus is told to expect is how many the stacks make, in each layout that comes with them."""

from typing import Any

import pytest
import yaml

from monitoring import configs, expected
from tests.stacks import rendering
from tests.stacks.test_layouts import LAYOUTS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_file_is_what_the_stacks_make(layout: str) -> None:
    assert expected.file_of(layout).read_text("utf-8") == expected.rules(layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_task_that_is_asked_is_expected(layout: str) -> None:
    """By the stacks as they are rendered, not as the script reads them."""
    overrides = [
        f"layouts/{path.stem}" for path in sorted((rendering.STACKS / "layouts").glob(f"{layout}.state*.yaml"))
    ]
    services: dict[str, Any] = {}
    for name in rendering.CLUSTER:
        laid = [each for each in overrides if each.endswith(name.partition(".")[2])]
        services |= rendering.present(rendering.render(name, overrides=laid)).services
    counts = expected.expected(layout)
    assert counts["gateway", "gateway"] == services["gateway"]["deploy"]["replicas"]
    assert counts["workers", "aggregates"] == services["aggregates"]["deploy"]["replicas"]
    brokers = {name for job, name in counts if job == "kafka-jmx"}
    assert brokers == {name for name in services if name.startswith("kafka") and name[-1].isdigit()}
    targets = [target for target in expected.targets() if target.task_of is not None]
    asked = {target.task_of for target in targets if (target.job, target.service) in counts}
    assert asked == {target.task_of for target in targets} & services.keys()


def test_what_is_on_every_node_of_a_kind_is_counted_by_the_layout() -> None:
    lines = (rendering.STACKS / "layouts" / "ten.nodes").read_text("utf-8").splitlines()
    nodes = [line for line in lines if line and not line.startswith("#")]
    counts = expected.expected("ten")
    assert counts["node", "node-exporter"] == len(nodes)
    assert counts["haproxy", "edge"] == sum("gateway=true" in line for line in nodes)


def test_the_rules_say_job_service_and_number() -> None:
    (group,) = yaml.safe_load(expected.rules("ten"))["groups"]
    assert {
        "record": "allezone:targets_expected",
        "labels": {"job": "gateway", "service": "gateway"},
        "expr": "vector(4)",
    } in (group["rules"])


def test_a_layouts_own_numbers_are_mounted_in_the_place_of_the_usual_ones() -> None:
    stack = rendering.render("2.stateless", overrides=["layouts/original.stateless"])
    assert (rendering.STACKS / stack.configs["rules_expected"]["file"]).samefile(expected.file_of("original"))


def test_a_config_whose_content_has_changed_is_renamed() -> None:
    text = (rendering.STACKS / "2.monitoring.yaml").read_text("utf-8")
    name = configs.name_of("prometheus", expected.PROMETHEUS / "prometheus.yml")
    assert configs.renamed(text.replace(name, "allezone_prometheus_00000000")) == text
