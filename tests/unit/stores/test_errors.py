"""What a refusal of PostgreSQL's is about: the row, or something that no row is to blame for."""

import psycopg
import pytest
from psycopg.pq import DiagnosticField

from stores import errors


def said(state: str, source_file: str) -> psycopg.Error:
    """An error report with these fields, as psycopg raises it."""
    fields = {DiagnosticField.SQLSTATE: state.encode(), DiagnosticField.SOURCE_FILE: source_file.encode()}
    return psycopg.errors.lookup(state)("no", info=fields)  # type: ignore[arg-type]  # what a pickled one has, too


@pytest.mark.parametrize(
    "refusal",
    [said("22021", "mbutils.c"), said("54000", "nbtutils.c"), said("54000", "indextuple.c"), psycopg.DataError("NUL")],
    ids=["no text", "too long for a B-tree", "too long for any index", "never sent"],
)
def test_a_value_is_refused(refusal: psycopg.Error) -> None:
    assert errors.refuses_value(refusal)


@pytest.mark.parametrize(
    "refusal",
    [
        said("54000", "varsup.c"),
        said("54000", "multixact.c"),
        said("54001", "stack_depth.c"),
        said("54011", "heaptuple.c"),
        said("54023", "parse_func.c"),
        said("42501", "aclchk.c"),
        said("53100", "md.c"),
        psycopg.OperationalError("connection lost"),
    ],
    ids=[
        "no transaction ids left",
        "no multixacts left",
        "stack",
        "columns",
        "arguments",
        "no right",
        "disk full",
        "connection lost",
    ],
)
def test_no_value_is_to_blame(refusal: psycopg.Error) -> None:
    assert not errors.refuses_value(refusal)
