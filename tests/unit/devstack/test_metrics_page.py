"""The page of metrics says what the code exports: all of it, and nothing else."""

import re
from pathlib import Path

import prometheus_client

from devstack import metrics_page

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_page_is_what_the_code_writes() -> None:
    assert PAGE.read_text("utf-8") == metrics_page.page(), "python -m devstack.metrics_page > docs/metrics.md"


def test_what_this_process_exports_is_on_the_page_and_everything_on_it_is_exported() -> None:
    families = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in prometheus_client.REGISTRY.collect()
    }
    listed = [metric for _, _, metrics in metrics_page.SECTIONS for metric in metrics]
    # Of aggregates workers alone, which this process is not.
    kept_back = {metric.name for metric in listed if metric.only}
    named = set(re.findall(r"`((?:allezone|process|python)_\w+)`", metrics_page.page()))
    assert families - named == set()
    assert named - families == kept_back


def test_each_label_has_its_values_on_the_page() -> None:
    page = metrics_page.page()
    for value in ("broken_body", "in_flight_bound", "hour_gone", "/queue/{namespace}/{topic}/backlog"):
        assert f"`{value}`" in page
