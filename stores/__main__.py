"""`python -m stores migrate`: brings the database that DB_* names to this version's schema.
`python -m stores roles`: makes the roles that processes log in as, each with the least that it needs.
"""

import argparse
import sys

import psycopg

from runtime import logging, settings
from stores import errors, migrate, roles
from stores.role_settings import RoleSettings


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m stores", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["migrate", "roles"])
    return _migrate() if parser.parse_args().command == "migrate" else _roles()


def _migrate() -> int:
    chosen = settings.load(settings.DatabaseSettings)
    logging.configure(chosen)
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
    logging.configure(chosen)
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


if __name__ == "__main__":
    sys.exit(main())
