"""Named queries are found, and a file that is wrong is refused when it is loaded, not when it is used."""

from importlib import resources

import pytest

from stores import queries


def test_queries_go_by_the_names_in_their_headers() -> None:
    text = "-- about the file\n\n-- name: one\nSELECT 1\n\n-- name: two\n-- a reason\nSELECT 2\n"

    assert queries.parse(text) == {"one": "SELECT 1", "two": "-- a reason\nSELECT 2"}


@pytest.mark.parametrize("text", ["-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n", "-- name: one\n\n"])
def test_a_name_given_twice_or_without_a_query_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="query 'one'"):
        queries.parse(text)


def test_every_file_in_the_package_loads() -> None:
    files = [file.name for file in resources.files("stores").joinpath("sql").iterdir()]

    assert files
    assert all(queries.load(name.removesuffix(".sql")) for name in files)
