"""The OpenAPI page describes the gateway that runs, and nothing that can be derived from it makes it fail."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import checks

from gateway import openapi
from tests.support.gateways import Gateway

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def document(gateway: Gateway) -> Any:
    return gateway.get("/openapi.json").json


def test_every_endpoint_is_in_it(document: Any) -> None:
    assert {(path, *methods) for path, methods in document["paths"].items()} == {
        ("/user_tags", "post"),
        ("/user_profiles/{cookie}", "post"),
        ("/aggregates", "post"),
        ("/healthz", "get"),
        ("/readyz", "get"),
        ("/metrics", "get"),
        ("/queue/{namespace}/{topic}/backlog", "get"),
        ("/debug/mismatches", "get"),
    }


def test_the_example_of_a_tag_is_taken(gateway: Gateway) -> None:
    assert gateway.post_tag(openapi.EXAMPLE_TAG).status == 204


@pytest.mark.parametrize("path", ["/user_profiles/{cookie}", "/aggregates"])
def test_the_examples_of_queries_are_answered_in_the_form_of_their_example(
    gateway: Gateway, document: Any, path: str
) -> None:
    operation = document["paths"][path]["post"]
    examples = {each["name"]: each.get("example") for each in operation["parameters"]}
    cookie = quote(examples.pop("cookie", None) or "")
    query = {name: value for name, value in examples.items() if value} | (
        {"aggregates": ["SUM_PRICE", "COUNT"], "brand_id": "Nike"} if path == "/aggregates" else {}
    )

    answer = gateway.post(f"{path.format(cookie=cookie)}?{urlencode(query, doseq=True)}")

    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    assert answer.status == 200, answer.body
    assert answer.json.keys() == example.keys()
    assert answer.json.get("columns") == example.get("columns")


def test_the_example_of_a_refusal_is_what_a_refusal_looks_like(gateway: Gateway, document: Any) -> None:
    example = document["paths"]["/user_tags"]["post"]["responses"]["422"]["content"]["application/json"]["example"]

    assert gateway.post("/user_tags", json.dumps({**openapi.EXAMPLE_TAG, "device": "pc"}).encode()).json == example


OPERATIONS = ["POST /user_tags", "POST /user_profiles/{cookie}", "POST /aggregates"]


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_request_made_from_the_description_is_answered_with_a_500(
    gateway: Gateway, document: Any, operation: str, mode: schemathesis.GenerationMode
) -> None:
    described = schemathesis.openapi.from_dict(document)
    described.config.update(base_url=gateway.url)
    method, path = operation.split()

    @settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=described[path][method].as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    answered()
