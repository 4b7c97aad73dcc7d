"""The row that every dashboard of our own processes ends with."""

from monitoring.dashboards import promql
from monitoring.dashboards.boards import Panel, Query, Row


def row(job: str, *, selector: str = "") -> Row:
    """CPU, memory and version of the processes of a scrape job; `selector` chooses among them."""
    chosen = f'{{job="{job}"{selector}}}'
    return Row(
        "Processes",
        (
            Panel(
                title="CPU",
                description="Cores that each process uses. One event loop uses one at most.",
                queries=(
                    Query(promql.rate(f"process_cpu_seconds_total{chosen}", by="service, instance"), _EACH),
                ),
                unit="none",
                width=6,
            ),
            Panel(
                title="Memory",
                description="Resident, of each process. stacks/2.stateless.yaml has the limits.",
                queries=(Query(f"process_resident_memory_bytes{chosen}", _EACH),),
                unit="bytes",
                width=6,
            ),
            Panel(
                title="Open files",
                description="Descriptors of each process, connections among them.",
                queries=(Query(f"process_open_fds{chosen}", _EACH),),
                width=6,
            ),
            Panel(
                title="Versions",
                description="How many processes run each version: more than one while a release is rolled out.",
                queries=(
                    Query(f"count by (service, version) (allezone_build_info{chosen})", "{{service}} {{version}}"),
                ),
                width=6,
            ),
        ),
    )  # fmt: skip


_EACH = "{{service}} {{instance}}"
