"""The errors of this package:

ValueError
└── SchemaError
    ├── UndecodableRecord   bytes that are no record of a released schema
    └── InvalidTimestamp    text that is no timestamp of the form the API takes
"""


class SchemaError(ValueError):
    """Base of everything that schemas/ raises on bad input."""


class UndecodableRecord(SchemaError):
    """Bytes that are no single-object encoded record of any released schema."""


class InvalidTimestamp(SchemaError):
    """Text that is no timestamp of the form asked for; the message says which form that is."""
