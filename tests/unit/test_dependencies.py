"""Packages depend on each other in one direction, and the two halves of the system not at all."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "schemas": set(),
    "runtime": set(),
    "broker": {"schemas", "runtime"},
    "stores": {"schemas", "runtime"},
    "gateway": {"schemas", "runtime", "broker", "stores"},
    "pipeline": {"schemas", "runtime", "broker", "stores"},
    "simulator": {"runtime", "schemas"},
    "devstack": {"schemas", "runtime", "broker", "stores", "gateway", "pipeline", "simulator"},
}


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    found = {name for file in (ROOT / package).rglob("*.py") for name in _imported(file)}
    assert found & (ALLOWED.keys() | {"bench", "tests"}) - {package} <= ALLOWED[package]


def test_the_oracle_shares_no_code_with_what_it_judges() -> None:
    assert not set(_imported(ROOT / "simulator" / "oracle.py")) & (ALLOWED.keys() - {"simulator"})


def _imported(file: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module.split(".")[0])
    return names
