"""What `python -m stores roles` and `set-password` are told: where PostgreSQL is, its superuser, and passwords."""

from typing import Final, Self

from pydantic import Field, SecretStr, model_validator

from runtime.settings import DatabaseSettings

LEAST_LENGTH: Final = 16


class RoleSettings(DatabaseSettings):
    """DB_USER and DB_PASSWORD are a superuser's; DB_NAME is the database, made if it is not there."""

    owner_password: SecretStr = Field(SecretStr(""), description="Of `allezone_owner`: migrations, repairs.")
    pipeline_password: SecretStr = Field(SecretStr(""), description="Of `allezone_pipeline`: both workers.")
    gateway_password: SecretStr = Field(SecretStr(""), description="Of `allezone_gateway`: reads.")
    analyst_password: SecretStr = Field(SecretStr(""), description="Of `allezone_analyst`: reads counts.")
    monitoring_password: SecretStr = Field(SecretStr(""), description="Of `allezone_monitoring`: reads statistics.")
    replication_password: SecretStr = Field(SecretStr(""), description="Of `replicator`: standbys; Patroni's own too.")

    def passwords(self) -> dict[str, str]:
        """`{setting: password}`."""
        names = set(RoleSettings.model_fields) - set(DatabaseSettings.model_fields)
        return {name: getattr(self, name).get_secret_value() for name in RoleSettings.model_fields if name in names}

    @model_validator(mode="after")
    def _are_passwords(self) -> Self:
        """After the rule for all secrets: none is missing or an example in production."""
        passwords = self.passwords()
        for name, password in passwords.items():
            if not password:
                message = f"{name.upper()} is empty, and its role could never log in: set it, or {name.upper()}_FILE"
                raise ValueError(message)
        if self.environment == "local":
            return self
        for name, password in passwords.items():
            _refuse_short(name, password)
        if len({*passwords.values(), self.db_password.get_secret_value()}) <= len(passwords):
            message = "two roles have the same password: one that is known must not open the other"
            raise ValueError(message)
        return self


class PasswordSettings(DatabaseSettings):
    """DB_USER and DB_PASSWORD are a superuser's, the password being the one of before."""

    new_password: SecretStr = Field(SecretStr(""), description="What the role's password is to be.")

    @model_validator(mode="after")
    def _is_password(self) -> Self:
        password = self.new_password.get_secret_value()
        if not password:
            message = "NEW_PASSWORD is empty, and the role could never log in: set it, or NEW_PASSWORD_FILE"
            raise ValueError(message)
        if self.environment != "local":
            _refuse_short("new_password", password)
        return self


def _refuse_short(name: str, password: str) -> None:
    if len(password) < LEAST_LENGTH:
        message = f"{name.upper()} has under {LEAST_LENGTH} characters: make a random one"
        raise ValueError(message)
