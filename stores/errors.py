"""Every error that this package raises on purpose.

StoreError
├── MigrationError
│   └── MigrationChanged      an applied migration's file is not what was applied
└── ProfileStoreError
    ├── ProfileStoreUnavailable   nothing was reached; try again later
    └── PartialWrite              some writes of a batch failed; names them

Errors of PostgreSQL itself (psycopg.Error) pass through unchanged wherever the caller owns the transaction: it has to
tell a lost connection from bad data, and the SQLSTATE says which.
"""


class StoreError(Exception):
    """The root: whatever a store could not do."""


class MigrationError(StoreError):
    """The schema could not be brought up to date."""


class MigrationChanged(MigrationError):
    """A migration was edited after it had been applied to this database."""

    def __init__(self, number: int, name: str) -> None:
        super().__init__(
            f"migration {number:04d} ({name}) was applied to this database with another text; "
            "put the file back as it was and write the change as a new migration"
        )
        self.number = number
        self.name = name
