"""What the example of an Alertmanager's configuration says of leaving a part of it out is so."""

import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

from tests.monitoring.rules import alertmanager
from tests.support import programs

HEARTBEAT: Final = "heartbeat"


def test_without_a_service_that_misses_the_watchdog_a_message_comes_twice_a_day(tmp_path: Path) -> None:
    told = yaml.safe_load(alertmanager.EXAMPLE.read_text("utf-8"))
    told["receivers"] = [each for each in told["receivers"] if each["name"] != HEARTBEAT]
    told["route"]["routes"] = [each for each in told["route"]["routes"] if each["receiver"] != HEARTBEAT]
    path = _written(tmp_path, told)

    assert _amtool("check-config", str(path)).returncode == 0
    assert _amtool("config", "routes", "test", f"--config.file={path}", "alertname=Watchdog").stdout == "daytime\n"
    assert [each for each in told["route"]["routes"] if "Watchdog" in str(each["matchers"])] == []
    assert told["route"]["repeat_interval"] == "12h"


def test_the_route_that_is_left_would_send_a_message_every_few_minutes_so_the_example_says_to_take_it_out_too() -> None:
    text = alertmanager.EXAMPLE.read_text("utf-8")
    [route] = [each for each in yaml.safe_load(text)["route"]["routes"] if each["receiver"] == HEARTBEAT]
    assert route["repeat_interval"] == "5m"
    comment = text[: text.index(f"  - name: {HEARTBEAT}\n")][-300:]
    assert "take this receiver *and the route to it* out" in comment


def _written(folder: Path, told: dict[str, Any]) -> Path:
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(told), "utf-8")
    return path


def _amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    [amtool] = programs.require("amtool")
    return subprocess.run([amtool, *arguments], capture_output=True, text=True, timeout=60, check=False)
