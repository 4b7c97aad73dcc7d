"""What a run found: as a table for people, as JSON for programs, and as an exit status."""

from collections.abc import Sequence

import msgspec
from rich import markup
from rich.console import Console
from rich.table import Table

from simulator import tally


class EndpointReport(msgspec.Struct, frozen=True):
    """What came of one endpoint's requests; the counts are those of `tally.Endpoint`."""

    name: str
    accepted: int
    refused: int
    unknown: int
    dropped: int
    retried: int
    wrong: int
    unjudged: int
    statuses: dict[int, int]
    latency_ms: dict[str, float]
    differences: list[str]
    refusals: list[str]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    `rate` is what was asked for and `achieved_rate` what was sent, in tags a second. `lateness_ms` is how far behind
    its schedule the generator itself was. `gateway` holds the gateway's own counts of matches and mismatches over
    this run, None where its debug mode is off. `..._visible_seconds` run from the last answer; None: not in time.
    """

    target: str
    seed: int
    run_id: int
    start: str
    rate: float
    tags: int
    seconds: float
    achieved_rate: float
    lateness_ms: dict[str, float]
    cpu_seconds: float
    cpu_micros_per_request: float
    profiles_visible_seconds: float | None
    aggregates_visible_seconds: float | None
    gateway: dict[str, dict[str, int]] | None
    endpoints: list[EndpointReport]
    failures: list[str]

    @property
    def exit_status(self) -> int:
        """0 where nothing failed, else 1."""
        return int(bool(self.failures))


def of_endpoint(name: str, counts: tally.Endpoint) -> EndpointReport:
    """The final counts of an endpoint."""
    return EndpointReport(
        name=name,
        accepted=counts.accepted,
        refused=counts.refused,
        unknown=counts.unknown,
        dropped=counts.dropped,
        retried=counts.retried,
        wrong=counts.wrong,
        unjudged=counts.unjudged,
        statuses=dict(sorted(counts.statuses.items())),
        latency_ms=counts.latencies.millis(),
        differences=counts.differences,
        refusals=counts.refusals,
    )


def show(report: Report, console: Console) -> None:
    """Print the report."""
    console.print(_requests(report.endpoints), soft_wrap=True)
    console.print(
        f"{report.tags:,} tags in {report.seconds:.1f} s: {report.achieved_rate:,.0f}/s of {report.rate:,.0f}/s; "
        f"generator late {_latency(report.lateness_ms)}, "
        f"{report.cpu_micros_per_request:.0f} us of its CPU a request"
    )
    console.print(
        f"visible after the last answer: profiles {_visible(report.profiles_visible_seconds)}, "
        f"aggregates {_visible(report.aggregates_visible_seconds)}"
    )
    console.print(f"the gateway's own comparison: {_gateway(report.gateway)}")
    for endpoint in report.endpoints:
        for told in (*endpoint.differences, *endpoint.refusals):
            console.print(f"[red]{endpoint.name}[/red] {markup.escape(told)}", soft_wrap=True)
    console.print(f"again: --seed {report.seed} --run-id {report.run_id} --start {report.start} --rate {report.rate:g}")
    for failure in report.failures:
        console.print(f"[bold red]FAILED[/bold red] {failure}")
    if not report.failures:
        console.print("[bold green]all right[/bold green]: everything accepted, every answer judged was right")


def _requests(endpoints: Sequence[EndpointReport]) -> Table:
    table = Table()
    table.add_column("endpoint")
    for heading in ("accepted", "refused", "unknown", "dropped", "wrong", "unjudged", "p50 ms", "p99", "p99.9", "max"):
        table.add_column(heading, justify="right")
    for each in endpoints:
        counts = (each.accepted, each.refused, each.unknown, each.dropped, each.wrong, each.unjudged)
        latencies = [f"{value:,.1f}" for value in each.latency_ms.values()]
        table.add_row(each.name, *(f"{count:,}" for count in counts), *latencies)
    return table


def _latency(millis: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in millis.items()) + " ms"


def _visible(seconds: float | None) -> str:
    return "not in time" if seconds is None else f"{seconds:.2f} s"


def _gateway(counts: dict[str, dict[str, int]] | None) -> str:
    if counts is None:
        return "off (DEBUG_QUERIES)"
    return "; ".join(f"{name} {each}" for name, each in sorted(counts.items())) or "nothing compared"
