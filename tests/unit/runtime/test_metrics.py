"""Metrics are made through a listing, which knows what is said of them and who exports them."""

import platform
import uuid
from collections.abc import Iterator

import prometheus_client
import pytest

from runtime import metrics
from runtime.metrics import Label, Listing


@pytest.fixture
def name() -> Iterator[str]:
    """A name that no other test has taken; what is made under it is taken back."""
    made = f"allezone_test_{uuid.uuid4().hex}"
    before = set(prometheus_client.REGISTRY._collector_to_names)  # noqa: SLF001 - it has no other list
    yield made
    for collector in set(prometheus_client.REGISTRY._collector_to_names) - before:  # noqa: SLF001
        prometheus_client.REGISTRY.unregister(collector)


def sample(name: str, **labels: str) -> float | None:
    return prometheus_client.REGISTRY.get_sample_value(name, labels)


def test_what_is_counted_from_zero_is_there_before_it_happens(name: str) -> None:
    reason, client = Label("reason", ("a", "b")), Label("client", ("x",))
    Listing().counter(f"{name}_total", "Something bad.", reason, client, from_zero=True)
    assert sample(f"{name}_total", reason="a", client="x") == 0
    assert sample(f"{name}_total", reason="b", client="x") == 0


def test_other_series_are_there_when_they_happen(name: str) -> None:
    made = Listing().counter(f"{name}_total", "Something usual.", Label("reason", ("a", "b")))
    made.labels("b").inc()
    assert sample(f"{name}_total", reason="a") is None
    assert sample(f"{name}_total", reason="b") == 1


def test_what_one_process_has_is_exported_by_that_one_alone(name: str) -> None:
    listing = Listing()
    listing.gauge(name, "A thing of one process.", only="aggregates").set(3)
    listing.export("profiles")
    assert sample(name) is None
    listing.export("aggregates")
    listing.export("aggregates")  # twice is once
    assert sample(name) == 3


def test_everything_made_is_listed_with_what_is_said_of_it(name: str) -> None:
    listing = Listing()
    listing.histogram(f"{name}_seconds", "How long it takes.", buckets=(0.1, 1.0))
    [listed] = listing.metrics
    assert (listed.kind, listed.meaning, listed.buckets) == ("histogram", "How long it takes.", (0.1, 1.0))


def test_nothing_is_exported_beside_of_when_it_was_made(name: str) -> None:
    Listing().counter(f"{name}_total", "Something usual.").inc()
    assert f"{name}_created" not in prometheus_client.generate_latest().decode()


def test_a_process_says_which_release_it_is() -> None:
    python = platform.python_version()
    metrics.export_build("2026.4")
    assert sample("allezone_build_info", version="2026.4", python=python) == 1
    metrics.export_build("2026.5")
    assert sample("allezone_build_info", version="2026.5", python=python) == 1
    assert sample("allezone_build_info", version="2026.4", python=python) is None


def test_without_a_release_a_process_says_something_all_the_same() -> None:
    metrics.export_build("")
    [only] = [each for each in prometheus_client.REGISTRY.collect() if each.name == "allezone_build_info"]
    assert [each.value for each in only.samples] == [1.0]
    assert only.samples[0].labels["version"]
