"""`python -m stores migrate`: brings the database that DB_* names to this version's schema."""

import argparse
import sys

import psycopg

from runtime import logging, settings
from stores import errors, migrate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m stores", description=__doc__)
    parser.add_argument("command", choices=["migrate"])
    parser.parse_args()
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


if __name__ == "__main__":
    sys.exit(main())
