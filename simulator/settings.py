"""What a run is: read from `SIMULATE_...` variables, each of which a command-line option overrides."""

import argparse
import ssl
from collections.abc import Sequence
from typing import Final

from pydantic import Field, field_validator

from runtime import settings

_PREFIX: Final = "simulate_"
_ADDRESS: Final = r"^(http://[^/:]+:\d+|https://[^/:]+(:\d+)?)/?$"
_NOWHERE: Final = "none"


class SimulatorSettings(settings.Settings):
    """Settings of `python -m simulator`; `simulate_rate` is SIMULATE_RATE and `--rate`."""

    simulate_target: str = Field(
        "http://127.0.0.1:8088",
        pattern=_ADDRESS,
        description="The gateway, or the balancer before it: `http://HOST:PORT`, `https://HOST` or `https://HOST:PORT`.",
    )
    simulate_ca_file: str | None = Field(
        None,
        description="Certificates, PEM, one of which must have signed an https target's. Default: this machine's.",
    )
    simulate_inside: str | None = Field(
        None,
        pattern=rf"{_ADDRESS}|^none$",
        description="A gateway's internal port, to be asked for readiness and metrics; `none` where it cannot be "
        "reached. Default: the target.",
    )
    simulate_token: str | None = Field(
        None,
        pattern=r"^[!-~]+$",
        repr=False,
        description="Token with the scopes write and read. Better from a file (`--token-file`): an option can be seen "
        "by others.",
    )
    simulate_rate: float = Field(1_000, gt=0, le=60_000, description="Tags a second of real time.")
    simulate_tags: int = Field(60_000, ge=1, description="Tags in all.")
    simulate_seed: int = Field(1, description="The stream is the same for the same seed, run id, start and rate.")
    simulate_run_id: int | None = Field(
        None, ge=0, description="Sets cookies and start apart from other runs'. Default: the clock's second at launch."
    )
    simulate_start: str | None = Field(
        None, description="Event time of the first tag, ISO in UTC. Default: made from the run id."
    )
    simulate_cookies: int = Field(1_000_000, ge=1, description="Users.")
    simulate_watched: int | None = Field(
        None, ge=1, description="Users whose profiles are remembered and asked for. Default: all up to 500000 tags."
    )
    simulate_held_minutes: int = Field(20, ge=12, description="Complete minutes of which every filter can be asked.")
    simulate_tie_every: int = Field(
        100, ge=0, description="Every n-th tag shares cookie and millisecond with the one before it; 0: none."
    )
    simulate_bodies: bool = Field(True, description="Queries carry the right answer, for a gateway in debug mode.")
    simulate_connections: int = Field(256, ge=1, description="Connections, so requests under way at a time.")
    simulate_waiting: int = Field(2_000, ge=0, description="Requests that may wait for a connection; more are dropped.")
    simulate_tag_timeout: float = Field(15, gt=0, description="Seconds after which a tag's outcome is unknown.")
    simulate_query_timeout: float = Field(60, gt=0, description="Seconds after which a query has failed.")
    simulate_retries: int = Field(0, ge=0, description="Times that a tag surely not stored is sent again, 1 s later.")
    simulate_tolerant: bool = Field(
        False, description="Refused and unknown tags and failed queries do not fail the run: for runs with failures."
    )
    simulate_profile_deadline: float = Field(
        10, gt=0, description="Seconds after the last answer within which every profile must be visible."
    )
    simulate_aggregate_deadline: float = Field(60, gt=0, description="The same for every aggregate.")
    simulate_final_profiles: int = Field(60_000, ge=0, description="Cookies asked for, one by one, at the end.")
    simulate_final_aggregates: int = Field(1_000, ge=0, description="Aggregates queries asked at the end.")
    simulate_json: str | None = Field(None, description="File that the report is also written to as JSON.")

    @property
    def inside(self) -> str | None:
        """Where readiness and metrics are asked for; None: nowhere."""
        return None if self.simulate_inside == _NOWHERE else self.simulate_inside or self.simulate_target

    @field_validator("simulate_ca_file")
    @classmethod
    def _are_certificates(cls, path: str | None) -> str | None:
        if path is not None:
            try:
                ssl.create_default_context(cafile=path)
            except OSError as error:
                message = f"certificates in PEM cannot be read from it: {error}"
                raise ValueError(message) from error
        return path

    @property
    def watched(self) -> int:
        """How many users' profiles are remembered."""
        if self.simulate_watched is not None:
            return min(self.simulate_watched, self.simulate_cookies)
        return self.simulate_cookies if self.simulate_tags <= 500_000 else min(200_000, self.simulate_cookies)


def from_command_line(arguments: Sequence[str]) -> SimulatorSettings:
    """The settings of one run. Ends the process with status 2 and a sentence where one is bad."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description="The test stream with its right answers.")
    for name, field in SimulatorSettings.model_fields.items():
        if name.startswith(_PREFIX):
            option = "--" + name.removeprefix(_PREFIX).replace("_", "-")
            text = f"{field.description} [{field.default}]".replace("%", "%%")
            parser.add_argument(option, dest=name, default=argparse.SUPPRESS, help=text)
    parser.add_argument(
        "--token-file", type=_token, dest="simulate_token", default=argparse.SUPPRESS, help="file of it"
    )
    given = vars(parser.parse_args(arguments))
    return settings.load(_with(given))


def _token(path: str) -> str:
    try:
        return settings.read_secret_file("--token-file", path)
    except settings.SettingsError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _with(given: dict[str, str]) -> type[SimulatorSettings]:
    """The settings' class with the command line's values laid over the environment's."""

    class FromCommandLine(SimulatorSettings):
        def __init__(self) -> None:
            super().__init__(**given)  # type: ignore[arg-type]  # text, which pydantic reads as it does a variable's

    return FromCommandLine
