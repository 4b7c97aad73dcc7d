"""Everything that can be set about a gateway process, beside what it shares with the others."""

import re
from typing import Final, Self

from pydantic import Field, field_validator, model_validator

from gateway import addresses
from runtime.settings import KafkaSettings
from stores.profiles_factory import ProfileStoreSettings

_INTERNAL_PORT: Final = 8089
_REQUESTS_PER_SECOND: Final = 5_000.0
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")


class GatewaySettings(KafkaSettings, ProfileStoreSettings):
    """Read once at start by `python -m gateway`."""

    gateway_host: str = Field("127.0.0.1", description="Address to listen on; `0.0.0.0` in a container.")
    gateway_port: int = Field(8088, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")

    internal_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="Port of probes, metrics, the API's page and debug endpoints, for inside alone. Unset: 8089; with "
        "`ENVIRONMENT=local` 0, which is the port of all else.",
    )

    tokens_file: str = Field(
        "",
        description="File of the tokens that clients need (docs/security.md), read again when it changes. "
        "`ENVIRONMENT=local` can do without, and asks for no token then.",
    )
    rate_limit_per_s: float | None = Field(
        None,
        ge=0,
        le=1_000_000,
        description="Requests a second that one client may make of one gateway; more get a `429`. 0: any number. "
        "Unset: 5000; with `ENVIRONMENT=local` 0.",
    )
    rate_limit_burst_s: float = Field(
        2.0, gt=0, le=60, description="Seconds' worth of them that may come at once after a pause."
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks, by commas, of proxies whose X-Forwarded-For is believed. Needed where "
        "clients without a valid token are to be told apart behind a proxy.",
    )
    cors_origins: str = Field(
        "",
        description="Origins, by commas, whose pages may ask from a browser: `https://shop.example`. Empty: none.",
    )

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

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        addresses.parse_networks(text)
        return text

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        for origin in _parts(text):
            if not _ORIGIN.fullmatch(origin):
                message = f"{origin!r} is no origin: it takes https://HOST or https://HOST:PORT, each by its name"
                raise ValueError(message)
        return text

    @model_validator(mode="after")
    def _is_closed_in_production(self) -> Self:
        if self.environment == "local":
            return self
        if not self.tokens_file:
            message = (
                "TOKENS_FILE is missing: name a file of tokens, which `python -m gateway make-token NAME --scopes "
                "write,read --file FILE` makes (ENVIRONMENT=local serves without tokens)"
            )
            raise ValueError(message)
        if self.internal_port_served() in (0, self.gateway_port):
            message = (
                "INTERNAL_PORT is the port that clients use: probes, metrics and debug endpoints need one of their own "
                "(ENVIRONMENT=local allows it for a trial)"
            )
            raise ValueError(message)
        return self

    def internal_port_served(self) -> int:
        """The internal port; 0: the same as all else."""
        if self.internal_port is None:
            return 0 if self.environment == "local" else _INTERNAL_PORT
        return 0 if self.internal_port == self.gateway_port else self.internal_port

    def requests_per_second(self) -> float:
        """Of one client; 0: any number."""
        if self.rate_limit_per_s is None:
            return 0 if self.environment == "local" else _REQUESTS_PER_SECOND
        return self.rate_limit_per_s

    def proxies(self) -> list[addresses.Network]:
        """TRUSTED_PROXIES as networks."""
        return addresses.parse_networks(self.trusted_proxies)

    def origins(self) -> list[str]:
        """CORS_ORIGINS as a list."""
        return _parts(self.cors_origins)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
