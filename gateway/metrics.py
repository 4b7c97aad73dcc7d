"""The metrics of the gateway: this list is all of them. Made once per process, however many applications it holds.

An increment costs 0.5 us and an observation 1.1 us here: `POST /user_tags` affords one of each.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

# From half the linger to the longest timeout; 0.2 is the objective of docs/contract.md.
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0)

# Every answer, by the route that gave it ("other": no route) and its status.
REQUESTS: Final = Counter("allezone_gateway_requests_total", "Requests answered.", ["endpoint", "status"])

# From the first byte of the body wanted to the last byte of the answer handed over.
DURATION: Final = Histogram(
    "allezone_gateway_request_duration_seconds", "Time to answer.", ["endpoint"], buckets=_SECONDS
)

# Events that got a 503, by what the client was told ("no", "unknown") and why.
UNSTORED: Final = Counter("allezone_gateway_events_unstored_total", "Events answered with 503.", ["stored", "reason"])

# Everything else that got a 503 by what went wrong: the error's class, for its message may hold a cookie.
FAILURES: Final = Counter(
    "allezone_gateway_query_failures_total", "Queries answered with 503, by error.", ["endpoint", "error"]
)

# Requests not let in, by why ("no_token", "unknown_token", "scope", "rate") and whose token it was: a name of
# TOKENS_FILE, or nobody's.
REFUSED: Final = Counter("allezone_gateway_refused_total", "Requests refused at the door.", ["reason", "client"])

# 1 while TOKENS_FILE, as it is now, cannot be used: the tokens read before stay valid.
TOKENS_BROKEN: Final = Gauge("allezone_gateway_tokens_file_broken", "Whether the file of tokens cannot be used.")

# Events handed to Kafka and not yet reported on; the bound is PRODUCE_IN_FLIGHT.
IN_FLIGHT: Final = Gauge("allezone_gateway_events_in_flight", "Events waiting for Kafka.")

# 1 while the dependency answers.
DEPENDENCY_UP: Final = Gauge("allezone_gateway_dependency_up", "Whether the last probe was answered.", ["dependency"])

# Debug mode: queries compared with the expected answer, by result ("match", "mismatch", "broken_body").
DEBUG_ANSWERS: Final = Counter("allezone_gateway_debug_answers_total", "Answers compared.", ["endpoint", "result"])
