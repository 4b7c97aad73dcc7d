"""The overview: which of the four promises is broken, if any, and whether anything else wants somebody."""

from typing import Final

from monitoring.dashboards import machines, promises, promql
from monitoring.dashboards.boards import Board, Objective, Panel, Query, Row

_ALARMS: Final = Row(
    "Alerts and targets",
    (
        Panel(
            title="Alerts firing",
            description="docs/operations/alerts.md has a page for each.",
            queries=(Query(promql.or_zero('count(ALERTS{alertstate="firing", severity!="none"})'), "firing"),),
            kind="stat",
            objective=Objective(1, "below"),
            width=5,
        ),
        Panel(
            title="Which",
            description="Alerts that fire now, and how many series each is about. docs/operations/alerts.md has a "
            "page for each.",
            queries=(
                Query(
                    promql.or_zero(
                        'count by (alertname, severity, service) (ALERTS{alertstate="firing", severity!="none"})',
                        label="alertname",
                    )
                ),
            ),
            kind="table",
            width=10,
        ),
        Panel(
            title="Targets that answer",
            description="By job: what Prometheus finds and reads. What is gone has no target any more, and is "
            "counted against what is expected by the alert TargetMissing.",
            alerts=("TargetMissing", "ServiceGone"),
            queries=(Query("sum by (job) (up)", "{{job}}"),),
            width=9,
        ),
    ),
)

BOARD: Final = Board(
    uid="allezone-overview",
    title="overview",
    description="The four promises, a row each: red in the first panel of a row means that this promise is broken in "
    f"the range shown. {promises.DOCUMENT} has their words.",
    rows=(*promises.ROWS, _ALARMS, machines.ROW),
)
