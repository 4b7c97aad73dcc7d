"""`python -m monitoring.expected [LAYOUT]`: how many targets Prometheus should have, as recording rules.

A target that is gone is not "down" to Prometheus but missing, so somebody has to say what should be there: the stacks
say how many tasks each service has, `stacks/layouts/LAYOUT.nodes` how many nodes a service of mode `global` runs on,
and prometheus.yml under which job and which name each is asked. Without a layout it is `ten`, and the file is the one
that the stack mounts; else it is `stacks/layouts/LAYOUT.expected.yml`, and what lies beside it as
`LAYOUT.stateful.yaml` and `LAYOUT.stateless.yaml` is laid over the stacks.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

ROOT: Final = Path(__file__).parents[1]
STACKS: Final = ROOT / "stacks"
PROMETHEUS: Final = ROOT / "monitoring" / "prometheus"
USUAL: Final = "ten"
_KINDS: Final = ("stateful", "stateless")
_CONSTRAINT: Final = re.compile(r"node\.labels\.(\w+) == ([\w.-]+)")

Labels = Mapping[str, str]


class Target(NamedTuple):
    """What one name that Prometheus looks up leads to. `task_of` is the service whose tasks answer, None for itself."""

    job: str
    service: str
    task_of: str | None


def main(arguments: list[str]) -> int:
    """Write the file of a layout; says which."""
    layout = arguments[0] if arguments else USUAL
    path = file_of(layout)
    path.write_text(rules(layout), "utf-8")
    sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


def file_of(layout: str) -> Path:
    return PROMETHEUS / "rules" / "expected.yml" if layout == USUAL else STACKS / "layouts" / f"{layout}.expected.yml"


def rules(layout: str) -> str:
    """The text of a file of recording rules, `allezone:targets_expected{job, service}`."""
    counts = expected(layout)
    listed = [
        {"record": "allezone:targets_expected", "labels": {"job": job, "service": service}, "expr": f"vector({count})"}
        for (job, service), count in sorted(counts.items())
    ]
    head = f"# Made by `python -m monitoring.expected {layout}`, from the stacks, their layout and prometheus.yml.\n"
    groups = [{"name": "targets_expected", "rules": listed}]
    return head + yaml.safe_dump({"groups": groups}, sort_keys=False, width=120)


def expected(layout: str) -> dict[tuple[str, str], int]:
    """Targets by job and service; none of what the layout has taken out."""
    services, nodes = _services(layout), _nodes(layout)
    counts: Counter[tuple[str, str]] = Counter()
    for target in targets():
        counts[target.job, target.service] += 1 if target.task_of is None else _tasks(services[target.task_of], nodes)
    return {key: count for key, count in counts.items() if count}


def targets() -> Iterator[Target]:
    """Every name in prometheus.yml, with the label `service` that its relabelling gives it."""
    configuration = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))
    for job in configuration["scrape_configs"]:
        for found in job.get("dns_sd_configs", []):
            for name in found["names"]:
                yield Target(job["job_name"], _service_of(name, job["relabel_configs"]), name.removeprefix("tasks."))
        for found in job.get("static_configs", []):
            for _ in found["targets"]:
                yield Target(job["job_name"], found["labels"]["service"], None)


def _service_of(name: str, relabelling: list[dict[str, Any]]) -> str:
    """As Prometheus relabels what DNS has found: `$1` is the first group, which is also the default."""
    for rule in relabelling:
        found = re.fullmatch(rule.get("regex", "(.*)"), name)
        if found and rule.get("source_labels") == ["__meta_dns_name"] and rule.get("target_label") == "service":
            return found.expand(rule.get("replacement", "$1").replace("$", "\\"))
    message = f"{name}: no relabelling in prometheus.yml gives it the label `service`"
    raise ValueError(message)


def _tasks(service: Mapping[str, Any], nodes: list[Labels]) -> int:
    deploy = service.get("deploy", {})
    if deploy.get("mode") != "global":
        return int(deploy.get("replicas", 1))
    constraints = deploy.get("placement", {}).get("constraints", [])
    wanted = [found.groups() for each in constraints if (found := _CONSTRAINT.fullmatch(each))]
    return sum(all(labels.get(label) == value for label, value in wanted) for labels in nodes)


def _services(layout: str) -> dict[str, dict[str, Any]]:
    """The services of both stacks, with what the layout lays over their `deploy`; others that it brings, too."""
    found: dict[str, dict[str, Any]] = {}
    for number, kind in enumerate(_KINDS, 1):
        for path in sorted(STACKS.glob(f"{number}.*.yaml")):
            found |= yaml.safe_load(path.read_text("utf-8"))["services"]
        over = STACKS / "layouts" / f"{layout}.{kind}.yaml"
        laid = yaml.safe_load(over.read_text("utf-8"))["services"] if over.exists() else {}
        for name, service in laid.items():
            below = found.get(name, {}).get("deploy", {})
            found[name] = {"deploy": {**below, **service.get("deploy", {})}}
    return found


def _nodes(layout: str) -> list[Labels]:
    """The labels of each node."""
    lines = (STACKS / "layouts" / f"{layout}.nodes").read_text("utf-8").splitlines()
    words = [line.split("#")[0].split() for line in lines]
    return [dict(label.split("=", 1) for label in line[1:]) for line in words if line]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
