"""What the workers' metrics say, as Prometheus would be told."""

from prometheus_client import REGISTRY


def value(name: str, **labels: object) -> float | None:
    """Of the sample of allezone_pipeline_`name`; None where there is none."""
    told = {label: str(given) for label, given in labels.items()}
    return REGISTRY.get_sample_value(f"allezone_pipeline_{name}", told)


def partitions(name: str) -> set[int]:
    """For which partitions it is exported."""
    found = [family for family in REGISTRY.collect() if family.name == f"allezone_pipeline_{name}"]
    return {int(sample.labels["partition"]) for family in found for sample in family.samples}


class Observed:
    """How a histogram changes from now on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count, self._sum = self._now()

    @property
    def count(self) -> int:
        return int(self._now()[0] - self._count)

    @property
    def sum(self) -> float:
        return self._now()[1] - self._sum

    def _now(self) -> tuple[float, float]:
        return value(f"{self._name}_count") or 0, value(f"{self._name}_sum") or 0
