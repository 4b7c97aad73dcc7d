"""User tags as clients post them."""

import copy
import json
from typing import Any

Json = dict[str, Any]

_TAG: Json = {
    "time": "2022-03-22T12:15:00.000Z",
    "cookie": "cookie-1",
    "country": "PL",
    "device": "PC",
    "action": "VIEW",
    "origin": "campaign-1",
    "product_info": {"product_id": "product-1", "brand_id": "brand-1", "category_id": "category-1", "price": 100},
}


def tag(**fields: Any) -> Json:
    """A good tag with some of its fields, those of `product_info` too, set to other values."""
    made = copy.deepcopy(_TAG)
    for name, value in fields.items():
        holder = made["product_info"] if name in made["product_info"] else made
        holder[name] = value
    return made


def without(*names: str) -> Json:
    """A tag that lacks fields."""
    made = copy.deepcopy(_TAG)
    for name in names:
        del (made["product_info"] if name in made["product_info"] else made)[name]
    return made


def body(**fields: Any) -> bytes:
    """`tag` as JSON."""
    return json.dumps(tag(**fields)).encode()
