"""The settings of the two workers, read once at their start."""

from pydantic import Field

from runtime import settings
from stores import profiles_factory


class WorkerSettings(settings.KafkaSettings, settings.DatabaseSettings):
    """What both workers have."""

    probe_host: str = Field("127.0.0.1", description="Address that /healthz, /readyz and /metrics listen on.")
    probe_port: int = Field(0, ge=0, le=65_535, description="Their port; 0 takes a free one and logs it.")
    data_dir: str = Field("", description="Folder for Faust's own files. Empty: a temporary one, gone at the end.")
    session_timeout_s: float = Field(
        10.0, ge=6, description="Seconds of silence after which Kafka gives the partitions of a dead worker to another."
    )
    request_timeout_s: float = Field(
        90.0,
        ge=10,
        description="Seconds that a request to Kafka may take. Half of it bounds taking up partitions, stores at hand.",
    )
    max_poll_interval_s: float = Field(
        300.0, ge=1, description="Seconds for which a worker's event loop may stand still and keep its partitions."
    )
    max_poll_records: int = Field(4_000, ge=1, description="Records of one fetch at most, over all partitions.")
    fetch_bytes: int = Field(1 << 20, ge=1 << 16, description="Bytes that one fetch takes of one partition.")
    fetch_least_bytes: int = Field(1 << 16, ge=1, description="Bytes that end the broker's wait for more to fetch.")
    fetch_wait_s: float = Field(0.1, gt=0, le=30, description="Seconds that this wait takes at most.")
    buffered_batches: int = Field(2, ge=1, le=64, description="Batches that wait between the consumer and the agent.")
    stalled_after_s: float = Field(
        60.0,
        ge=1,
        description="Seconds for which records wait and nothing moves, until the worker ends, to be restarted. "
        "More than STORE_PATIENCE_S: a store that is frozen must be known to be away by then.",
    )
    seek_again_s: float = Field(1.0, ge=0, description="Seconds until the same seek back is made again.")
    seeks_before_hole: int = Field(
        3, ge=1, description="Seeks back that find the same records missing before they are taken to be gone."
    )
    dead_letters_in_a_row: int = Field(
        1_000,
        ge=0,
        description="Broken records on consecutive offsets; one more ends the worker. "
        "Good ones of hours that take no more do not count.",
    )
    store_patience_s: float = Field(30.0, gt=0, description="Seconds that a store may take for one exchange.")
    retry_first_s: float = Field(0.1, gt=0, description="Seconds until a failed write is tried again; doubles.")
    retry_last_s: float = Field(5.0, gt=0, description="The longest such pause.")


class AggregatesSettings(WorkerSettings):
    """The aggregates worker."""

    aggregates_group: str = Field("aggregates", min_length=1, description="Consumer group of the aggregates workers.")
    flush_records: int = Field(20_000, ge=1, description="Records folded into one write at most.")
    flush_interval_s: float = Field(0.25, gt=0, description="Seconds that a record waits for its write at most.")
    compare_interval_s: float = Field(
        5.0, gt=0, description="Seconds between looks whether PostgreSQL still holds what was counted."
    )
    max_hours: int = Field(
        1_000, ge=49, le=10_000, description="Hours of event time kept at most, beside the newest 25."
    )
    retention_event_hours: float = Field(
        24.0, ge=24, description="An hour may go when it lies this many hours of event time behind the newest events."
    )
    retention_idle_hours: float = Field(
        24.0, ge=24, description="... and nothing was written to it for this many hours of wall-clock time."
    )
    housekeeping_interval_s: float = Field(60.0, gt=0, description="Seconds between looks at hours to make and drop.")


class ProfilesSettings(WorkerSettings, profiles_factory.ProfileStoreSettings):
    """The profiles worker."""

    profiles_group: str = Field("profiles", min_length=1, description="Consumer group of the profiles workers.")
    profile_writes: int = Field(2_000, ge=1, description="Profile entries of one write at most.")
    profile_interval_s: float = Field(0.1, ge=0, description="Seconds that an event waits for company.")
