"""The OpenAPI page: what each endpoint takes and answers, with examples.

Written by hand where the endpoints read requests themselves; tests hold the examples against the running gateway.
"""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway import aggregates, endpoints, profiles, time_ranges
from gateway.tokens import Scope
from schemas import tags, timestamps, wire

Json = dict[str, Any]

EXAMPLE_TAG: Final[Json] = {
    "time": "2022-03-22T12:15:00.000Z",
    "cookie": "cookie-1",
    "country": "PL",
    "device": "PC",
    "action": "VIEW",
    "origin": "spring sale",
    "product_info": {"product_id": 17, "brand_id": "Nike", "category_id": "shoes", "price": 1000},
}
_EXAMPLE_PROFILE: Final[Json] = {"cookie": "cookie-1", "views": [EXAMPLE_TAG], "buys": []}
_EXAMPLE_TABLE: Final[Json] = {
    "columns": ["1m_bucket", "action", "brand_id", "sum_price", "count"],
    "rows": [["2022-03-22T12:15:00", "VIEW", "Nike", "1000", "1"]],
}
_EXAMPLE_INVALID: Final[Json] = {
    "detail": [{"loc": ["body", "device"], "msg": "device is 'pc': it takes PC, MOBILE or TV", "type": "enum"}]
}


def schema(*apps: FastAPI, tokens: bool) -> Json:
    """The whole document of `apps`, with `POST /user_tags` among the others; `tokens`: whether clients need them."""
    first, routes = apps[0], [route for app in apps for route in app.routes]
    found = get_openapi(title=first.title, version=first.version, description=first.description, routes=routes)
    found["paths"] = {endpoints.USER_TAGS: {"post": {**_USER_TAGS}}, **found["paths"]}
    found["components"]["schemas"].update(_SCHEMAS)
    for path, scope in endpoints.SCOPES.items():
        refused = {**(_NO_TOKEN if tokens else {}), **_TOO_MANY}
        name = "NotStored" if path == endpoints.USER_TAGS else "Error"
        for operation in found["paths"][path].values():
            added = {status: _refusal(what, name, headers) for status, (what, headers) in refused.items()}
            operation["responses"] = dict(sorted({**operation["responses"], **added}.items()))
            if tokens:
                operation["security"] = [{"bearer": [scope]}]
    if tokens:
        found["components"]["securitySchemes"] = {"bearer": _BEARER}
    return found


def _object(properties: Json, **more: Any) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, name: str, example: Json | None = None) -> Json:
    content: Json = {"schema": _ref(name)}
    if example is not None:
        content["example"] = example
    return {"description": description, "content": {"application/json": content}}


def _parameter(name: str, description: str, schema: Json, example: str | None = None, **more: Any) -> Json:
    found = {"name": name, "in": "query", "description": description, "schema": schema, **more}
    return found if example is None else {**found, "example": example}


_TEXT: Final[Json] = {
    "type": "string",
    "minLength": 1,
    "maxLength": wire.MAX_CHARACTERS,
    "description": f"At most {wire.MAX_BYTES} bytes of UTF-8, any Unicode but U+0000.",
}
_BEARER: Final[Json] = {
    "type": "http",
    "scheme": "bearer",
    "description": f"A token with the scope that the operation names: {', '.join(Scope)}. None holds another.",
}
_CHALLENGE: Final[Json] = {"WWW-Authenticate": {"description": "RFC 6750.", "schema": {"type": "string"}}}
_RETRY: Final[Json] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_SCHEMAS: Final[Json] = {
    "UserTag": _object(
        {
            "time": {"type": "string", "description": f"UTC, of the form {timestamps.TAG_FORM}; at most 24 h ahead."},
            "cookie": _TEXT,
            "country": _TEXT,
            "device": {"type": "string", "enum": list(tags.DEVICES)},
            "action": {"type": "string", "enum": list(tags.ACTIONS)},
            "origin": _TEXT,
            "product_info": _object(
                {
                    "product_id": {"oneOf": [_TEXT, {"type": "integer", "format": "int64"}]},
                    "brand_id": _TEXT,
                    "category_id": _TEXT,
                    "price": {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
                }
            ),
        },
        description="One action of one user. Unknown further fields are ignored.",
    ),
    "UserProfile": _object(
        {
            "cookie": _TEXT,
            "views": {"type": "array", "items": _ref("UserTag")},
            "buys": {"type": "array", "items": _ref("UserTag")},
        },
        description="Each list newest first.",
    ),
    "Aggregates": _object(
        {
            "columns": {"type": "array", "items": {"type": "string"}},
            "rows": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
        },
        description="One row for every minute of the range, ascending.",
    ),
    "Error": _object({"detail": {"type": "string"}}),
    "NotStored": _object(
        {"detail": {"type": "string"}, "stored": {"type": "string", "enum": ["no", "unknown"]}},
        description="`no`: the event was never handed to Kafka. `unknown`: it was, and nobody acknowledged it in time.",
    ),
    "Invalid": _object(
        {
            "detail": {
                "type": "array",
                "items": _object(
                    {
                        "loc": {"type": "array", "items": {"type": "string"}},
                        "msg": {"type": "string"},
                        "type": {"type": "string"},
                    }
                ),
            }
        },
        description="Every field that does not take what it was given.",
    ),
}


def _refusal(description: str, name: str, headers: Json) -> Json:
    return {**_answer(description, name), "headers": headers}


_NO_TOKEN: Final = {
    "401": ("No token, or none that is valid.", _CHALLENGE),
    "403": ("A token without the scope that this needs.", _CHALLENGE),
}
_TOO_MANY: Final = {"429": ("One client asks more often than it may.", _RETRY)}
_BAD_INPUT: Final[Json] = {
    "400": _answer("Not JSON, or not UTF-8.", "Error"),
    "413": _answer("The body is too large.", "Error"),
    "422": _answer("Fields that do not take what they were given.", "Invalid", _EXAMPLE_INVALID),
}
_USER_TAGS: Final[Json] = {
    "summary": "Store one user tag",
    "description": "204 once the event is durable: acknowledged by all in-sync Kafka replicas.",
    "operationId": "user_tags",
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _ref("UserTag"), "example": EXAMPLE_TAG}},
    },
    "responses": {
        "204": {"description": "Stored."},
        **_BAD_INPUT,
        "503": {**_answer("Kafka cannot take it now.", "NotStored"), "headers": _RETRY},
    },
}


NOT_READY: Final[dict[int | str, Json]] = {503: {"description": "Traffic should not come here now."}}
BACKLOG: Final[dict[int | str, Json]] = {
    404: _answer("Not the namespace or topic served here.", "Error"),
    503: {**_answer("Kafka does not answer now.", "Error"), "headers": _RETRY},
}
DEBUG_OFF: Final[dict[int | str, Json]] = {404: _answer("Debug mode is off.", "Error")}


def _query(description: str, name: str, example: Json, parameters: list[Json]) -> dict[str, Any]:
    """The arguments of `add_api_route` for an endpoint that reads its request itself."""
    responses = {
        "200": _answer(description, name, example),
        **_BAD_INPUT,
        "503": {**_answer("The store does not answer now.", "Error"), "headers": _RETRY},
    }
    body = {
        "description": "Debug mode: the expected answer. Otherwise ignored.",
        "content": {"application/json": {"schema": {}}},
    }
    return {"parameters": parameters, "requestBody": body, "responses": responses}


USER_PROFILES: Final[Json] = _query(
    "The history.",
    "UserProfile",
    _EXAMPLE_PROFILE,
    [
        {"name": "cookie", "in": "path", "required": True, "schema": _TEXT, "example": "cookie-1"},
        _parameter(
            "time_range",
            f"`<from>_<to>`, from inclusive, to exclusive, each {timestamps.MILLIS_FORM} or without the fraction.",
            {"type": "string"},
            "2022-03-22T12:00:00.000_2022-03-22T13:00:00.000",
            required=True,
        ),
        _parameter(
            "limit",
            "The most tags of each action.",
            {"type": "integer", "minimum": 1, "maximum": profiles.MAX_LIMIT, "default": profiles.MAX_LIMIT},
        ),
    ],
)
AGGREGATES: Final[Json] = _query(
    "The table.",
    "Aggregates",
    _EXAMPLE_TABLE,
    [
        _parameter(
            "time_range",
            f"`<from>_<to>`, each {timestamps.SECONDS_FORM} on a minute; at most {time_ranges.MAX_MINUTES} minutes.",
            {"type": "string"},
            "2022-03-22T12:15:00_2022-03-22T12:16:00",
            required=True,
        ),
        _parameter("action", "Which events.", {"type": "string", "enum": list(tags.ACTIONS)}, "VIEW", required=True),
        _parameter(
            "aggregates",
            "Which columns, in this order.",
            {
                "type": "array",
                "items": {"type": "string", "enum": list(aggregates.AGGREGATES)},
                "minItems": 1,
                "uniqueItems": True,
            },
            required=True,
        ),
        *(_parameter(name, "Only events of this value.", _TEXT) for name in aggregates.FILTERS),
    ],
)
