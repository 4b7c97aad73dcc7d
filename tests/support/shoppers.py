"""One user of a running system, who buys, and then finds all of it in both answers."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from devstack import waiting

ACCEPTED_SECONDS = 60.0
VISIBLE_SECONDS = 20.0
_PRICE = 100


class Shopper:
    """Sends tags of one cookie and one campaign, which nobody else uses, all with the moment it was made as event time.

    Counts what it sent: a `204` is surely stored, a "no" surely not; `unknown` may be either.
    """

    def __init__(self, url: str) -> None:
        self.cookie = f"shopper-{uuid.uuid4().hex[:12]}"
        self.sure = 0
        self.unknown = 0
        self._url = url
        self._moment = datetime.now(UTC)

    def buy(self) -> None:
        """Send a tag, again where it is refused, until one is durable."""
        answers: list[httpx.Response] = []

        def accepted() -> bool:
            answers.append(httpx.post(f"{self._url}/user_tags", json=self._tag(), timeout=15))
            return answers[-1].status_code == httpx.codes.NO_CONTENT

        assert waiting.until(accepted, ACCEPTED_SECONDS), answers
        self.sure += 1
        self.unknown += sum(answer.json()["stored"] != "no" for answer in answers[:-1])

    def find_everything(self) -> None:
        """Wait until profile and aggregates agree on what there is: all that is sure, and of the rest what is unknown.

        They may be unavailable for a moment, after a failure.
        """
        found: list[str] = []

        def right() -> bool:
            try:
                kept, totals = len(self.buys()), self.totals()
            except httpx.HTTPStatusError as unavailable:
                found.append(f"{unavailable} {unavailable.response.text}")
                return False
            found.append(f"{kept} kept, {totals} counted, {self.sure} sure, {self.unknown} unknown")
            return totals == (kept, kept * _PRICE) and self.sure <= kept <= self.sure + self.unknown

        assert waiting.until(right, VISIBLE_SECONDS, interval=0.2), found

    def buys(self) -> list[dict[str, Any]]:
        """The buys in its profile."""
        query = {"time_range": self._minutes()}
        answer = httpx.post(f"{self._url}/user_profiles/{self.cookie}", params=query, timeout=30)
        return list(answer.raise_for_status().json()["buys"])

    def totals(self) -> tuple[int, int]:
        """(count, sum) of what the aggregates say about its campaign."""
        wanted = {"action": "BUY", "origin": self.cookie, "aggregates": ["COUNT", "SUM_PRICE"]}
        query = {"time_range": self._minutes(), **wanted}
        answer = httpx.post(f"{self._url}/aggregates", params=query, timeout=30)
        rows = answer.raise_for_status().json()["rows"]
        return sum(int(row[-2]) for row in rows), sum(int(row[-1]) for row in rows)

    def _tag(self) -> dict[str, Any]:
        return {
            "time": f"{self._moment:%Y-%m-%dT%H:%M:%S}.{self._moment.microsecond // 1000:03d}Z",
            "cookie": self.cookie,
            "country": "PL",
            "device": "PC",
            "action": "BUY",
            "origin": self.cookie,
            "product_info": {"product_id": 1, "brand_id": "Nike", "category_id": "shoes", "price": _PRICE},
        }

    def _minutes(self) -> str:
        """The minute of its tags, as both queries take it."""
        start = self._moment.replace(second=0, microsecond=0, tzinfo=None)
        return f"{start.isoformat()}_{(start + timedelta(minutes=1)).isoformat()}"
