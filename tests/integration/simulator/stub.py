"""A system small enough to be plainly right: it keeps every tag in a list. Subclasses of it are wrong in one way."""

import itertools
import json
import ssl
from typing import Any

from aiohttp import web

Tag = dict[str, Any]

FILTERS = {"origin": "origin", "brand_id": "brand_id", "category_id": "category_id"}


class Stub:
    """docs/contract.md 2 to 5 in memory, served on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        self.tags: list[Tag] = []
        self.received = itertools.count()
        self.started = 1.5
        self.compared = {"/user_profiles": {"match": 0, "mismatch": 0}, "/aggregates": {"match": 0, "mismatch": 0}}
        self._runner: web.AppRunner | None = None

    async def start(self, tls: ssl.SSLContext | None = None) -> str:
        """Listen; gives the address."""
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/user_tags", self.user_tags)
        app.router.add_post(r"/user_profiles/{cookie:[\s\S]*}", self.user_profiles)
        app.router.add_post("/aggregates", self.aggregates)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/metrics", self.metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls).start()
        return f"{'https' if tls else 'http'}://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close the listener."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def user_tags(self, request: web.Request) -> web.Response:
        self.store(json.loads(await request.read()), next(self.received))
        return web.Response(status=204)

    def store(self, tag: Tag, number: int) -> None:
        """Take the `number`-th tag."""
        self.tags.append(tag)

    async def user_profiles(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", "200"))
        since, until = request.query["time_range"].split("_")
        own = [tag for tag in self.tags if tag["cookie"] == request.match_info["cookie"]]
        answer = {"cookie": request.match_info["cookie"]}
        for name, action in (("views", "VIEW"), ("buys", "BUY")):
            answer[name] = self.history([tag for tag in own if tag["action"] == action], since, until, limit)
        return await self.answered(request, "/user_profiles", answer)

    def history(self, tags: list[Tag], since: str, until: str, limit: int) -> Any:
        kept = sorted(tags, key=lambda tag: str(tag["time"]), reverse=True)[:200]
        return [tag for tag in kept if since + "Z" <= tag["time"] < until + "Z"][:limit]

    async def aggregates(self, request: web.Request) -> web.Response:
        since, until = request.query["time_range"].split("_")
        wanted = {name: request.query[name] for name in FILTERS if name in request.query}
        figures = request.query.getall("aggregates")
        rows = []
        for minute in self.minutes(since, until):
            prices = [
                tag["product_info"]["price"]
                for tag in self.tags
                if tag["time"].startswith(minute[:16])
                and tag["action"] == request.query["action"]
                and all(tag["product_info"].get(name, tag.get(name)) == value for name, value in wanted.items())
            ]
            values = {"COUNT": len(prices), "SUM_PRICE": sum(prices)}
            rows.append(
                [minute, request.query["action"], *wanted.values(), *(str(values[figure]) for figure in figures)]
            )
        columns = ["1m_bucket", "action", *wanted, *(figure.lower() for figure in figures)]
        return await self.answered(request, "/aggregates", {"columns": columns, "rows": rows})

    def minutes(self, since: str, until: str) -> list[str]:
        first, end = _minute_of_day(since), _minute_of_day(until)
        return [f"{since[:11]}{minute // 60:02d}:{minute % 60:02d}:00" for minute in range(first, end)]

    async def answered(self, request: web.Request, endpoint: str, answer: Any) -> web.Response:
        """The answer; in passing, the debug mode's comparison."""
        if request.can_read_body:
            same = _unordered(json.loads(await request.read())) == _unordered(answer)
            self.compared[endpoint]["match" if same else "mismatch"] += 1
        return web.json_response(answer)

    async def readyz(self, _request: web.Request) -> web.Response:
        return web.json_response({"ready": True})

    async def metrics(self, _request: web.Request) -> web.Response:
        lines = [
            f'allezone_gateway_debug_answers_total{{endpoint="{endpoint}",result="{result}"}} {count}'
            for endpoint, results in self.compared.items()
            for result, count in results.items()
        ]
        head = "# TYPE allezone_gateway_debug_answers_total counter"
        started = f"process_start_time_seconds {self.started}"
        return web.Response(text="\n".join([head, *lines, started, ""]))


def _unordered(answer: Any) -> Any:
    """Without the order among tags of one millisecond."""
    if "rows" in answer:
        return answer
    return {name: sorted(map(json.dumps, value)) for name, value in answer.items()}


def _minute_of_day(time: str) -> int:
    return int(time[11:13]) * 60 + int(time[14:16])
