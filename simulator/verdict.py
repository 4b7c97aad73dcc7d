"""Which findings fail a run."""

from collections.abc import Iterator, Sequence

from simulator import report


def failures(
    endpoints: Sequence[report.EndpointReport],
    gateway: dict[str, dict[str, int]] | None,
    visible: Sequence[float | None],
    *,
    tolerant: bool,
) -> list[str]:
    """One sentence a finding. `tolerant` passes refused and unknown requests, never a wrong answer."""
    found = [sentence for each in endpoints for sentence in _of_endpoint(each, tolerant=tolerant)]
    found += [f"the gateway counts {n} answers of {path} that differ" for path, n in _mismatches(gateway)]
    found += [f"{what} were not visible in time" for what in _late(visible)]
    if not any(each.accepted > each.unjudged for each in endpoints[1:]):
        found.append("not one query was judged")
    return found


def _of_endpoint(each: report.EndpointReport, *, tolerant: bool) -> Iterator[str]:
    if each.wrong:
        yield f"{each.wrong:,} wrong answers of {each.name}"
    if each.dropped:
        yield f"{each.dropped:,} requests to {each.name} were never sent: the system, or this generator, fell behind"
    if each.refused and not tolerant:
        yield f"{each.refused:,} requests to {each.name} were refused"
    if each.unknown and not tolerant:
        yield f"{each.unknown:,} requests to {each.name} have an unknown outcome"


def _mismatches(gateway: dict[str, dict[str, int]] | None) -> Iterator[tuple[str, int]]:
    for path, counts in sorted((gateway or {}).items()):
        different = sum(count for result, count in counts.items() if result != "match")
        if different:
            yield path, different


def _late(visible: Sequence[float | None]) -> list[str]:
    return [what for what, seconds in zip(("profiles", "aggregates"), visible, strict=True) if seconds is None]
