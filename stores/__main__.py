"""`python -m stores migrate`: brings the database that DB_* names to this version's schema.
`python -m stores roles`: makes the roles that processes log in as, each with the least that it needs.
`python -m stores set-password postgres`: gives a role that `roles` does not make the password NEW_PASSWORD_FILE.
"""

import argparse
import sys

import psycopg

from runtime import logging, settings
from stores import errors, migrate, passwords, roles
from stores.role_settings import PasswordSettings, RoleSettings


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m stores", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate")
    commands.add_parser("roles")
    commands.add_parser("set-password").add_argument("role")
    arguments = parser.parse_args()
    match arguments.command:
        case "migrate":
            return _migrate()
        case "roles":
            return _roles()
    return _set_password(arguments.role)


def _migrate() -> int:
    chosen = settings.load(settings.DatabaseSettings)
    logging.configure(chosen, "migrate")
    log = logging.get_logger("stores")
    try:
        applied = migrate.apply(chosen.conninfo("stores migrate"))
    except (psycopg.Error, errors.MigrationError) as error:
        log.error("migration_failed", error=str(error))
        return 1
    log.info("migrated", applied=[f"{migration.number:04d}_{migration.name}" for migration in applied])
    return 0


def _roles() -> int:
    chosen = settings.load(RoleSettings)
    logging.configure(chosen, "roles")
    log = logging.get_logger("stores")
    try:
        changed = roles.apply(chosen)
        weak = roles.weak_logins(chosen)
    except (psycopg.Error, errors.RolesRefused) as error:
        log.error("roles_failed", error=str(error))
        return 1
    if weak:
        log.warning("logins_without_scram", found=weak)
    log.info("roles_made", changed=changed)
    return 0


def _set_password(role: str) -> int:
    chosen = settings.load(PasswordSettings)
    logging.configure(chosen, "set-password")
    log = logging.get_logger("stores")
    try:
        if role in roles.ROLES:
            raise errors.RolesRefused.made_by_roles(role)
        changed = passwords.change(chosen, role)
    except (psycopg.Error, errors.RolesRefused) as error:
        log.error("password_not_set", role=role, error=str(error))
        return 1
    log.info("password_set", role=role, changed=changed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
