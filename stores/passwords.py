"""Passwords of PostgreSQL's roles, as SCRAM-SHA-256: only a verifier goes to the server, and so to none of its logs.

`python -m stores set-password ROLE` changes that of a role which `python -m stores roles` does not make: the
superuser's own, and Patroni's for pg_rewind. It takes the new one from a secret that nobody has to see.
"""

import base64
import hashlib
import hmac
from typing import Any, Final

import psycopg
from psycopg import conninfo, sql

from stores import errors, queries
from stores.role_settings import PasswordSettings

_SQL: Final = queries.load("passwords")

Connection = psycopg.Connection[Any]


def change(settings: PasswordSettings, role: str) -> bool:
    """Give `role` the new password; False: it had it before. Raises RolesRefused, or psycopg.Error.

    Run again after it was cut off, it finds the superuser's own password changed: it logs in with either.
    """
    with _log_in(settings, role) as conn:
        verifiers = of_roles(conn, [role])
        if role not in verifiers:
            raise errors.RolesRefused.unknown_role(role)
        return ensure(conn, role, settings.new_password.get_secret_value(), verifiers[role])


def of_roles(conn: Connection, roles: list[str]) -> dict[str, str | None]:
    """`{role: what is kept of its password}` of those that are there. For superusers."""
    return dict(conn.execute(_SQL["verifiers"], {"roles": roles}).fetchall())


def ensure(conn: Connection, role: str, password: str, verifier: str | None) -> bool:
    """Set the password unless `verifier` is that of it; whether it was set."""
    if _is_of(password, verifier):
        return False
    made = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    conn.execute(sql.SQL(_SQL["set"]).format(role=sql.Identifier(role), verifier=sql.Literal(made)))
    return True


def _log_in(settings: PasswordSettings, role: str) -> Connection:
    info = conninfo.make_conninfo(settings.conninfo("stores set-password"), dbname="postgres")
    try:
        return psycopg.connect(info, autocommit=True)
    except psycopg.OperationalError as refused:
        if role != settings.db_user:
            raise
        return _log_in_again(conninfo.make_conninfo(info, password=settings.new_password.get_secret_value()), refused)


def _log_in_again(info: str, refused: psycopg.OperationalError) -> Connection:
    try:
        return psycopg.connect(info, autocommit=True)
    except psycopg.OperationalError as error:
        message = f"neither password lets in; the old one: {refused}; the new one: {error}"
        raise psycopg.OperationalError(message) from error


def _is_of(password: str, verifier: str | None) -> bool:
    """Whether a SCRAM verifier is that of the password (RFC 5803); of another kind of hash it is not."""
    if verifier is None or not verifier.startswith("SCRAM-SHA-256$"):
        return False
    iterations, _, salt = verifier.split("$")[1].partition(":")
    stored, _, _ = verifier.split("$")[2].partition(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(key).digest(), base64.b64decode(stored))
