"""The machines that all of it runs on, by the names that Docker knows them by."""

from typing import Final

from monitoring.dashboards.boards import Objective, Panel, Query, Row

ROW: Final = Row(
    "The machines",
    (
        Panel(
            title="CPU in use",
            description="Share of each machine's processors, by Docker's node.",
            queries=(
                Query(
                    '(1 - avg by (job, instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))) '
                    "* on (job, instance) group_left (nodename) node_uname_info",
                    "{{nodename}}",
                ),
            ),
            unit="percentunit",
            highest=1,
            width=6,
        ),
        Panel(
            title="Memory left",
            description="Share of each machine's memory. The line: 10 %.",
            alerts=("NodeMemoryLow",),
            queries=(Query("instance:node_memory_available:ratio", "{{nodename}}"),),
            unit="percentunit",
            highest=1,
            objective=Objective(0.1, "above"),
            width=6,
        ),
        Panel(
            title="Disk left",
            description="Share of the file system that Docker keeps containers and volumes on. The line: 10 %.",
            alerts=("DiskFilling", "DiskLow"),
            queries=(Query("instance_device:node_filesystem_avail:ratio", "{{nodename}} {{device}}"),),
            unit="percentunit",
            highest=1,
            objective=Objective(0.1, "above"),
            width=6,
        ),
        Panel(
            title="Clocks",
            description="How far each machine's clock may be off, as its kernel reckons.",
            alerts=("ClockUnsynchronised",),
            queries=(
                Query(
                    "node_timex_maxerror_seconds * on (job, instance) group_left (nodename) node_uname_info",
                    "{{nodename}}",
                ),
            ),
            unit="s",
            width=6,
        ),
    ),
)
