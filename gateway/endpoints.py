"""The endpoints: their routes, the one label that each has in every metric and log, and the scope that each needs."""

from typing import Final

from gateway.tokens import Scope

USER_TAGS: Final = "/user_tags"
USER_PROFILES: Final = "/user_profiles/{cookie}"
AGGREGATES: Final = "/aggregates"
BACKLOG: Final = "/queue/{namespace}/{topic}/backlog"
MISMATCHES: Final = "/debug/mismatches"
HEALTHZ: Final = "/healthz"
READYZ: Final = "/readyz"
METRICS: Final = "/metrics"
OTHER: Final = "other"
"""No endpoint: paths that are not served, and the pages that document the others."""

LABELS: Final = (USER_TAGS, USER_PROFILES, AGGREGATES, BACKLOG, MISMATCHES, HEALTHZ, READYZ, METRICS, OTHER)

# Not the probes and metrics: balancers and Prometheus have no token, and ask on the internal port.
SCOPES: Final = {
    USER_TAGS: Scope.WRITE,
    USER_PROFILES: Scope.READ,
    AGGREGATES: Scope.READ,
    BACKLOG: Scope.ADMIN,
    MISMATCHES: Scope.ADMIN,
}
