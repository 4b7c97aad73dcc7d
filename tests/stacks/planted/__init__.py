"""For each policy what it must find: violations, each in a real file."""

from typing import Final

from tests.stacks.planted import containers, networks, placement, secrets, updates
from tests.stacks.planted.planting import Planted

ALL: Final[list[Planted]] = [
    *containers.PLANTED,
    *networks.PLANTED,
    *placement.PLANTED,
    *secrets.PLANTED,
    *updates.PLANTED,
]
