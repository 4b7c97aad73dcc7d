"""Systems that are each wrong in one way."""

from typing import Any

from aiohttp import web

from tests.integration.simulator.stub import Stub, Tag


class DropsOne(Stub):
    def store(self, tag: Tag, number: int) -> None:
        if number != 700:
            super().store(tag, number)


class ForgetsHalf(Stub):
    def store(self, tag: Tag, number: int) -> None:
        if number % 2:
            super().store(tag, number)


class DoublesOne(Stub):
    def store(self, tag: Tag, number: int) -> None:
        for _ in range(2 if number == 700 else 1):
            super().store(tag, number)


class LosesTies(Stub):
    """One tag a millisecond and cookie: what a map keyed by time does."""

    def store(self, tag: Tag, number: int) -> None:
        if not any((tag["cookie"], tag["time"]) == (old["cookie"], old["time"]) for old in self.tags[-3:]):
            super().store(tag, number)


class ForgetsTypes(Stub):
    def store(self, tag: Tag, number: int) -> None:
        product = tag["product_info"] | {"product_id": str(tag["product_info"]["product_id"])}
        super().store(tag | {"product_info": product}, number)


class OneTooFew(Stub):
    def history(self, tags: list[Tag], since: str, until: str, limit: int) -> Any:
        return super().history(tags, since, until, limit - 1)


class KeepsAll(Stub):
    def history(self, tags: list[Tag], since: str, until: str, limit: int) -> Any:
        return [tag for tag in reversed(tags) if since + "Z" <= tag["time"] < until + "Z"][:limit]


class LimitsBeforeTheRange(Stub):
    def history(self, tags: list[Tag], since: str, until: str, limit: int) -> Any:
        kept = sorted(tags, key=lambda tag: str(tag["time"]), reverse=True)[:limit]
        return super().history(kept, since, until, limit)


class OldestFirst(Stub):
    def history(self, tags: list[Tag], since: str, until: str, limit: int) -> Any:
        return super().history(tags, since, until, limit)[::-1]


class IncludesTheEnd(Stub):
    def history(self, tags: list[Tag], since: str, until: str, limit: int) -> Any:
        kept = sorted(tags, key=lambda tag: str(tag["time"]), reverse=True)[:200]
        return [tag for tag in kept if since + "Z" <= tag["time"] <= until + "Z"][:limit]


class OneMinuteTooMany(Stub):
    def minutes(self, since: str, until: str) -> list[str]:
        return super().minutes(since, f"{until[:14]}{int(until[14:16]) + 1:02d}:00")


class OmitsEmptyMinutes(Stub):
    async def answered(self, request: web.Request, endpoint: str, answer: Any) -> web.Response:
        if "rows" in answer:
            answer["rows"] = [row for row in answer["rows"] if row[-1] != "0"]
        return await super().answered(request, endpoint, answer)


class SwapsColumns(Stub):
    async def answered(self, request: web.Request, endpoint: str, answer: Any) -> web.Response:
        if "rows" in answer and len(answer["columns"]) > 3:
            for row in (answer["columns"], *answer["rows"]):
                row[-1], row[-2] = row[-2], row[-1]
        return await super().answered(request, endpoint, answer)


class SumsIn32Bits(Stub):
    async def answered(self, request: web.Request, endpoint: str, answer: Any) -> web.Response:
        if "sum_price" in answer.get("columns", ()):
            place = answer["columns"].index("sum_price")
            for row in answer["rows"]:
                row[place] = str((int(row[place]) + 2**31) % 2**32 - 2**31)
        return await super().answered(request, endpoint, answer)
