"""Everything that can be set about a gateway process, beside what it shares with the others."""

from pydantic import Field

from runtime.settings import KafkaSettings
from stores.profiles_factory import ProfileStoreSettings


class GatewaySettings(KafkaSettings, ProfileStoreSettings):
    """Read once at start by `python -m gateway`."""

    gateway_host: str = Field("127.0.0.1", description="Address to listen on; `0.0.0.0` in a container.")
    gateway_port: int = Field(8088, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")

    produce_timeout_ms: int = Field(
        5000, ge=100, le=60_000, description="Milliseconds until an event that Kafka has not acknowledged gets a `503`."
    )
    produce_in_flight: int = Field(
        10_000, ge=1, le=1_000_000, description="Events that may wait for Kafka at once; one more gets a `503`."
    )
    produce_linger_ms: float = Field(
        2.0, ge=0, le=100, description="Milliseconds that an event waits for others to share its request to Kafka."
    )

    max_body_bytes: int = Field(65_536, ge=1024, description="Bytes of a user tag's body; more gets a `413`.")
    profiles_timeout_ms: int = Field(
        2000, ge=10, description="Milliseconds until a profile query that the store has not answered gets a `503`."
    )
    aggregates_timeout_ms: int = Field(
        20_000,
        ge=10,
        description="Milliseconds until an aggregates query that PostgreSQL has not answered gets a `503`.",
    )

    debug_queries: bool = Field(
        False, description="Compare the answers of queries with the expected ones in their bodies (debug mode)."
    )
    debug_mismatches_kept: int = Field(
        100, ge=1, le=10_000, description="Mismatches that `GET /debug/mismatches` can show, the newest."
    )
    debug_max_body_bytes: int = Field(
        4 * 1024 * 1024,
        ge=1024,
        description="Bytes of a query's body, an expected answer or ignored: 400 tags are more than MAX_BODY_BYTES.",
    )

    queue_namespace: str = Field(
        "allezone", pattern=r"^[A-Za-z0-9._-]{1,64}$", description="`{namespace}` of `GET /queue/{namespace}/...`."
    )
    aggregates_group: str = Field(
        "aggregates", min_length=1, description="Consumer group of the aggregates workers, for the backlog."
    )
    profiles_group: str = Field(
        "profiles", min_length=1, description="Consumer group of the profiles workers, for the backlog."
    )
    probe_interval_ms: int = Field(1000, ge=50, description="Milliseconds between two looks at each dependency.")
    drain_seconds: float = Field(
        1.0, ge=0, le=5, description="Seconds of serving after SIGTERM, unready, for balancers to notice."
    )
