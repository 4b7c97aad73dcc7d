"""The files that the dashboards are: their names, and what is in them."""

import json
from pathlib import Path
from typing import Final

from monitoring.dashboards import aerospike, business, gateway, grafana, kafka, overview, pipeline, postgres
from monitoring.dashboards.boards import Board

FOLDER: Final = Path(__file__).parents[1] / "grafana" / "dashboards"
BOARDS: Final[tuple[Board, ...]] = (
    overview.BOARD,
    gateway.BOARD,
    pipeline.BOARD,
    kafka.BOARD,
    postgres.BOARD,
    aerospike.BOARD,
    business.BOARD,
)


def contents() -> dict[str, str]:
    """`{name: text}` of every file."""
    return {f"{_name(board)}.json": _text(board) for board in BOARDS}


def _name(board: Board) -> str:
    return board.uid.removeprefix("allezone-")


def _text(board: Board) -> str:
    return json.dumps(grafana.dashboard(board), indent=2, ensure_ascii=False) + "\n"
