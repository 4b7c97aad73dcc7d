"""Settings: read once at start from environment variables, checked, and refused with a sentence.

A field `db_host` is read from `DB_HOST`, or from the file that `DB_HOST_FILE` names (how a Docker secret arrives).
Each process composes its own class out of the groups below; `python -m devstack.settings_page` writes docs/settings.md
from them.
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, Self, TypeVar

import psycopg.conninfo
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

EXAMPLE_SECRETS: Final = frozenset(
    {"", "changeme", "changethis", "example", "password", "postgres", "secret", "allezone"}
)
_MAX_SECRET_FILE_BYTES: Final = 64 * 1024
_SECRET: Final = re.compile("password|secret|token")
_HOSTS: Final = re.compile(r"([^\s:,]+(:\d{1,5})?(, ?[^\s:,]+(:\d{1,5})?)*)?")


class FileSettingsSource(EnvSettingsSource):
    """Reads `NAME_FILE` where `NAME` may stand; both at once is an error, for neither is plainly the one meant."""

    @staticmethod
    def _load_env_vars_from(environ: Mapping[str, str], names: set[str]) -> dict[str, str]:
        found = {}
        for name in names & {key.removesuffix("_FILE") for key in environ if key.endswith("_FILE")}:
            if name in environ:
                message = f"{name} and {name}_FILE are both set: set one of them"
                raise SettingsError(message)
            found[name] = read_secret_file(f"{name}_FILE", environ[f"{name}_FILE"])
        return found

    def __call__(self) -> dict[str, Any]:
        names = {field.upper() for field in self.settings_cls.model_fields}
        return {name.lower(): value for name, value in self._load_env_vars_from(os.environ, names).items()}


class SettingsError(Exception):
    """A setting that cannot be used; the message says which and what to do."""


class Settings(BaseSettings):
    """What every process has. A process adds its own fields in a subclass."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=False)

    environment: Literal["local", "production"] = Field(
        "production", description="`local` takes empty and example passwords, as one machine's own test does."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least level logged, in any case of letters; of libraries `info` at the least."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="`auto` is `console` on a terminal and `json` elsewhere."
    )
    release: str = Field(
        "",
        max_length=128,
        description="What `allezone_build_info` calls this version. Empty: the distribution's version.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, FileSettingsSource(settings_cls)

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_any_case(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level

    @model_validator(mode="after")
    def _refuse_example_secrets(self) -> Self:
        if self.environment == "local":
            return self
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr) and value.get_secret_value().lower() in EXAMPLE_SECRETS:
                message = (
                    f"{name.upper()} is missing or an example value: set {name.upper()} or {name.upper()}_FILE "
                    "to a secret of your own (ENVIRONMENT=local allows it for a trial)"
                )
                raise ValueError(message)
        return self


class KafkaSettings(Settings):
    """Where the log is, and the form of its topic."""

    kafka_hosts: str = Field("127.0.0.1:9092", description="Bootstrap brokers, `host:port`, separated by commas.")
    kafka_topic: str = Field(
        "user-tags", pattern=r"^[A-Za-z0-9._-]{1,249}$", description="The topic that holds every event."
    )
    kafka_partitions: int = Field(4, ge=1, le=10_000, description="Partitions of the topic when it is made.")
    kafka_replication: int = Field(3, ge=1, le=32_767, description="Replicas of each partition when it is made.")
    kafka_min_insync: int = Field(2, ge=1, description="In-sync replicas that must hold an event before its `204`.")
    kafka_retention_hours: int = Field(168, ge=1, description="Hours that the topic keeps an event for replay.")


class DatabaseSettings(Settings):
    """Where PostgreSQL is: the address of the primary, or of the proxy before it."""

    db_host: str = Field("127.0.0.1", description="Host name, or several separated by commas.")
    db_port: int = Field(5432, ge=1, le=65_535, description="Port.")
    db_name: str = Field("allezone", description="Database.")
    db_user: str = Field("allezone", description="Role.")
    db_password: SecretStr = Field(SecretStr(""), description="The role's password.")

    def conninfo(self, application: str = "allezone") -> str:
        """A libpq connection string for the primary; `application` is what pg_stat_activity shows."""
        return psycopg.conninfo.make_conninfo(
            host=self.db_host,
            port=self.db_port,
            dbname=self.db_name,
            user=self.db_user,
            password=self.db_password.get_secret_value(),
            application_name=application,
            client_encoding="UTF8",  # what COPY is written in, whatever PGCLIENTENCODING or the role say
            target_session_attrs="read-write",
            connect_timeout=5,
            # A peer that vanishes without a word is noticed in 15 s instead of libpq's two hours.
            keepalives_idle=5,
            keepalives_interval=5,
            keepalives_count=2,
            tcp_user_timeout=15_000,
        )


class AerospikeSettings(Settings):
    """Where profiles go: Aerospike where hosts are named, PostgreSQL where none are."""

    aerospike_hosts: str = Field("", description="Seed nodes, `host:port`, by commas. Empty: profiles in PostgreSQL.")
    aerospike_namespace: str = Field("test", min_length=1, max_length=31, description="Namespace.")
    aerospike_set: str = Field("profiles", min_length=1, max_length=63, description="Set that holds the profiles.")

    @field_validator("aerospike_hosts")
    @classmethod
    def _is_a_list_of_hosts(cls, text: str) -> str:
        if not _HOSTS.fullmatch(text):
            message = "takes host:port, several separated by commas, such as aerospike-1:3000,aerospike-2:3000"
            raise ValueError(message)
        return text


AnySettings = TypeVar("AnySettings", bound=Settings)


def load(kind: type[AnySettings]) -> AnySettings:
    """The process's settings from its environment; on bad ones a sentence each on standard error and exit status 2."""
    try:
        return kind()
    except SettingsError as error:
        _refuse([str(error)])
    except ValidationError as error:
        _refuse([_sentence(problem) for problem in error.errors()])


def read_secret_file(name: str, path: str) -> str:
    """The text of the file that the variable `name` names, without the line end an editor leaves."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_SECRET_FILE_BYTES + 1)
        if len(data) > _MAX_SECRET_FILE_BYTES:
            message = f"{name}: {path} is over {_MAX_SECRET_FILE_BYTES} bytes: no secret is that long"
            raise SettingsError(message)
        return data.decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{name}: {path} cannot be read: {error}"
        raise SettingsError(message) from error


def _sentence(problem: Any) -> str:
    if not problem["loc"]:
        return str(problem["msg"]).removeprefix("Value error, ")
    name = str(problem["loc"][0])
    given = "" if _SECRET.search(name) else f" (given: {problem['input']!r})"
    return f"{name.upper()}: {problem['msg'].removeprefix('Value error, ')}{given}"


def _refuse(sentences: list[str]) -> NoReturn:
    for sentence in sentences:
        sys.stderr.write(f"settings: {sentence}\n")
    sys.exit(2)
