"""One run from its settings to its report: the one place where the parts are put together."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from simulator import (
    addresses,
    finals,
    inside,
    judge,
    ledger,
    load,
    oracle,
    preflight,
    querying,
    questions,
    report,
    settle,
    stream,
    tagging,
    times,
    verdict,
    wire,
)
from simulator.settings import SimulatorSettings

Profiles = querying.Inquirer[questions.ProfileQuestion]
Aggregates = querying.Inquirer[questions.AggregateQuestion]


class Run:
    """A run and its parts."""

    def __init__(self, chosen: SimulatorSettings) -> None:
        self._chosen = chosen
        self.run_id: Final = int(time.time()) if chosen.simulate_run_id is None else chosen.simulate_run_id
        start = chosen.simulate_start
        self.start: Final = times.default_start(self.run_id) if start is None else times.parse(start)
        self._source = stream.Stream(
            chosen.simulate_seed, self.run_id, self.start, chosen.simulate_cookies, chosen.simulate_tie_every
        )
        held = questions.held_minutes(chosen.simulate_held_minutes, chosen.simulate_rate)
        self._oracle = oracle.Oracle(self._source, chosen.watched, held)
        target, ca_file = chosen.simulate_target, chosen.simulate_ca_file
        self._pool = addresses.pool(target, chosen.simulate_connections, chosen.simulate_waiting, ca_file)
        self._requests = wire.Requests(addresses.host(target), chosen.simulate_token)
        self._inside = inside.Inside(chosen.inside, ca_file)
        self._ledger = ledger.Ledger()
        self._tagger = tagging.Tagger(
            self._source,
            self._oracle,
            self._ledger,
            self._pool,
            self._requests,
            chosen.simulate_tag_timeout,
            chosen.simulate_retries,
        )

    async def run(self, progress: load.Progress) -> report.Report:
        """Send, ask, judge. Raises `errors.SimulatorError` where there is nothing to start on."""
        tags = self._chosen.simulate_tags
        preflight.check_clock(self._source.time(tags - 1))
        self._pool.start()
        try:
            await self._inside.begin()
            last = finals.Finals(self._source, self._oracle, tags)
            await preflight.check_window(self._pool, self._requests, list(last.totals()))
            return await self._measured(last, progress)
        finally:
            await self._inside.close()
            await self._pool.close()

    async def _measured(self, last: finals.Finals, progress: load.Progress) -> report.Report:
        chosen = self._chosen
        profiles, aggregates = self._profiles(), self._aggregates()
        plan = questions.Questions(self._source, chosen.simulate_rate, chosen.watched, chosen.simulate_held_minutes)
        loop = load.Load(plan, self._tagger, profiles, aggregates, chosen.simulate_rate)
        cpu = time.process_time()
        seconds = await loop.send(chosen.simulate_tags, progress)
        await loop.answered()
        cpu = time.process_time() - cpu

        final_profiles, final_aggregates = self._profiles(), self._aggregates()
        visible = await asyncio.gather(
            settle.seconds_until_right(final_profiles, list(last.recent()), chosen.simulate_profile_deadline),
            settle.seconds_until_right(final_aggregates, list(last.totals()), chosen.simulate_aggregate_deadline),
        )
        await settle.ask_all(final_profiles, last.profiles(chosen.simulate_final_profiles))
        await settle.ask_all(final_aggregates, last.aggregates(chosen.simulate_final_aggregates))

        endpoints = [
            report.of_endpoint("/user_tags", self._tagger.tally),
            report.of_endpoint("/user_profiles", profiles.tally),
            report.of_endpoint("/aggregates", aggregates.tally),
            report.of_endpoint("profiles, final", final_profiles.tally),
            report.of_endpoint("aggregates, final", final_aggregates.tally),
        ]
        compared = await self._inside.compared()
        sent = sum(sum(each.statuses.values()) for each in endpoints[:3])
        return report.Report(
            target=chosen.simulate_target,
            seed=chosen.simulate_seed,
            run_id=self.run_id,
            start=times.millis_text(self.start),
            rate=chosen.simulate_rate,
            tags=chosen.simulate_tags,
            seconds=seconds,
            achieved_rate=chosen.simulate_tags / seconds,
            lateness_ms=loop.lateness.millis(),
            cpu_seconds=cpu,
            cpu_micros_per_request=cpu / max(1, sent) * 1e6,
            profiles_visible_seconds=visible[0],
            aggregates_visible_seconds=visible[1],
            gateway=compared,
            endpoints=endpoints,
            failures=verdict.failures(endpoints, compared, visible, tolerant=chosen.simulate_tolerant),
        )

    def _profiles(self) -> Profiles:
        return self._inquirer(
            questions.PROFILE_AGE,
            lambda question: judge.ProfileExpectation(question, self._oracle.profiles, self._source.tag),
            self._requests.profile,
        )

    def _aggregates(self) -> Aggregates:
        return self._inquirer(
            questions.AGGREGATE_AGE,
            lambda question: judge.AggregateExpectation(question, self._oracle.aggregates),
            self._requests.aggregate,
        )

    def _inquirer(
        self,
        age: float,
        expect: Callable[[Any], judge.Expectation],
        render: Callable[[Any, wire.Answer | None], bytes],
    ) -> querying.Inquirer[Any]:
        chosen = self._chosen
        return querying.Inquirer(
            age,
            expect,
            render,
            self._ledger,
            self._pool,
            chosen.simulate_query_timeout,
            bodies=chosen.simulate_bodies,
        )
