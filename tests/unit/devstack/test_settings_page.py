"""The page of settings says what the code says."""

from pathlib import Path

from devstack import settings_page

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_page_is_what_the_code_writes() -> None:
    assert PAGE.read_text("utf-8") == settings_page.page(), "python -m devstack.settings_page > docs/settings.md"


def test_every_setting_says_what_it_is() -> None:
    rows = [line for line in settings_page.page().splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    assert all(len(row.split("|")[3].strip()) > 4 for row in rows)
