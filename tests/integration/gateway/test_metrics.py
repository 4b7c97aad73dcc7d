"""What a real gateway answers to `GET /metrics`: what docs/metrics.md lists, whatever it was asked before."""

import pytest

import runtime.metrics
from gateway import metrics
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.integration.gateway import bad_tags
from tests.support import gateways, scrapes
from tests.support.gateways import Gateway
from tests.support.tags import tag

LISTED = [*runtime.metrics.LISTING.metrics, *metrics.LISTING.metrics]
STRANGE = (
    "/user_profiles/somebody@example.com",
    "/somebody",
    "/user_tags/1",
    "/queue/other/other/backlog",
    "/aggregates",
)


@pytest.fixture
def scraped(gateway: Gateway) -> str:
    """After requests of all kinds, from clients who know no better."""
    for bad in bad_tags.ALL[::10]:
        gateway.post("/user_tags", bad.body)
    for target in STRANGE:
        gateway.get(target)
        gateway.post(target)
    assert gateway.post_tag(tag()).status == 204
    assert gateway.profile("somebody").status == 200
    return gateway.get("/metrics").body.decode()


def test_it_exports_what_is_listed_with_labels_of_closed_sets(scraped: str) -> None:
    assert scrapes.complaints(scraped, LISTED, "gateway") == []


def test_promtool_finds_nothing_wrong_with_it(scraped: str) -> None:
    scrapes.refuse_unidiomatic(scraped)


def test_nothing_that_a_client_sent_is_in_it(scraped: str) -> None:
    assert "somebody" not in scraped
    assert "cookie-1" not in scraped


def test_it_says_which_release_it_is_and_how_many_events_it_holds_at_most(
    shared_topic: KafkaSettings, shared_database: DatabaseSettings
) -> None:
    with gateways.running(shared_topic, shared_database, release="2026.4", produce_in_flight=123) as gateway:
        text = gateway.get("/metrics").body.decode()
        assert 'allezone_build_info{python="3.' in text
        assert 'version="2026.4"} 1.0' in text
        assert gateway.metric("allezone_gateway_events_in_flight_limit") == 123
