"""The two configurations of HAProxy: it takes them, and their limits leave room for what must go on."""

import math
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.stacks import rendering

FOLDER: Final = rendering.ROOT / "services" / "haproxy"
SERVICES: Final = {"edge.cfg": "edge", "postgres.cfg": "postgres-proxy"}
LAYOUTS: Final = {
    "cluster": [("1.stateful", ""), ("2.stateless", "")],
    "original": [("1.stateful", "layouts/original.stateful"), ("2.stateless", "layouts/original.stateless")],
    "small": [("small", "")],
}

KIB: Final = 1024
# Measured on 2.6 and 3.2: resident memory, with a request's buffer aside.
PROCESS_BYTES: Final = 32 * KIB * KIB
CONNECTION_BYTES: Final = 27 * KIB
REQUEST_BYTES: Final = 3 * KIB
ROOM: Final = 1 / 4
"""Of the limit, that nothing here counts: answers that are not read, the allocator's own, the kernel's sockets."""

each_configuration = pytest.mark.parametrize("name", SERVICES)


@each_configuration
def test_haproxy_takes_it(name: str, tmp_path: Path) -> None:
    done = _check(FOLDER / name, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "[WARNING]" not in done.stderr


@each_configuration
def test_no_defaults_have_the_name_of_a_proxy(name: str) -> None:
    """Of which HAProxy 3.2 warns, and 3.3 has none."""
    named = re.findall(r"^(defaults|frontend|backend|listen) (\S+)", (FOLDER / name).read_text("utf-8"), re.MULTILINE)
    assert {n for kind, n in named if kind == "defaults"}.isdisjoint(n for kind, n in named if kind != "defaults")


def test_one_that_is_broken_is_found(tmp_path: Path) -> None:
    broken = tmp_path / "broken.cfg"
    broken.write_text((FOLDER / "edge.cfg").read_text("utf-8").replace("timeout queue 5s", "timeout queues 5s"))
    assert _check(broken, tmp_path).returncode == 1


@each_configuration
def test_two_descriptors_a_connection_are_allowed(name: str) -> None:
    """It does not start with fewer."""
    allowed = rendering.render_cluster().services[SERVICES[name]]["ulimits"]["nofile"]
    assert allowed >= 2 * _most(name)["global"] + 200


def test_clients_cannot_take_the_connections_of_the_checks() -> None:
    most = _most("edge.cfg")
    assert most["frontend public"] + most["frontend plain"] + most["frontend operators"] < most["global"]


def test_every_request_that_clients_may_have_under_way_gets_a_socket_to_a_gateway() -> None:
    """Where there are none left its checks of the gateways fail too."""
    most, at_once = _most("edge.cfg"), _number("edge.cfg", "tune.h2.max-concurrent-streams")
    assert (1 + at_once) * most["frontend public"] < 2 * most["global"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_clients_that_make_the_edge_wait_for_all_their_bodies_do_not_take_its_memory(layout: str) -> None:
    """The kernel would end it, and with it every connection."""
    (limits,) = _limits(layout, "edge.cfg")
    most, at_once = _most("edge.cfg"), _number("edge.cfg", "tune.h2.max-concurrent-streams")
    requests = at_once * most["frontend public"] * (_number("edge.cfg", "tune.bufsize") + REQUEST_BYTES)
    clients = most["frontend public"] + most["frontend plain"] + most["frontend operators"]
    taken = PROCESS_BYTES + clients * CONNECTION_BYTES + requests
    assert taken <= _bytes(limits["memory"]) * (1 - ROOM)


def test_no_connection_fills_more_buffers_than_it_has_requests() -> None:
    """Of what 3.2 adds, which has a default of 1,600 KiB."""
    at_once = _number("edge.cfg", "tune.h2.max-concurrent-streams")
    assert _number("edge.cfg", "tune.h2.fe.rxbuf") <= at_once * _number("edge.cfg", "tune.bufsize")


@pytest.mark.parametrize(
    ("layout", "name"),
    [(layout, name) for layout in LAYOUTS for name in SERVICES if (layout, name) != ("small", "postgres.cfg")],
)
def test_it_has_a_thread_for_each_cpu_that_it_may_use(layout: str, name: str) -> None:
    """More would use up the limit together, and be stopped together until the next 100 ms."""
    (limits,) = _limits(layout, name)
    assert _number(name, "nbthread") == math.ceil(float(limits["cpus"]))


def _limits(layout: str, name: str) -> list[dict[str, Any]]:
    """Of each service that runs with the configuration."""
    stacks = [rendering.render(file, overrides=[over] if over else []) for file, over in LAYOUTS[layout]]
    services = [service for stack in stacks for service in stack.services.values()]
    told = f"/usr/local/etc/haproxy/{name}"
    return [service["deploy"]["resources"]["limits"] for service in services if service.get("command") == [told]]


def _number(name: str, setting: str) -> int:
    (found,) = re.findall(rf"^\s+{re.escape(setting)} (\d+)\b", (FOLDER / name).read_text("utf-8"), re.MULTILINE)
    return int(found)


def _bytes(size: str) -> int:
    return int(size[:-1]) * {"M": KIB**2, "G": KIB**3}[size[-1]]


def _check(path: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Skips without haproxy or openssl, in CI as well, which tries to install the first."""
    search = f"{os.environ['PATH']}:/usr/sbin"
    for tool in ("haproxy", "openssl"):
        if shutil.which(tool, path=search) is None:
            pytest.skip(f"no {tool} on this machine: {path.name} was not checked")
    key, certificate = folder / "key.pem", folder / "edge.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    make += ["-subj", "/CN=localhost", "-days", "2", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True, timeout=30)
    certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
    environment = {"PATH": search, "EDGE_CERTIFICATE": str(certificate), "EDGE_ERRORS": str(FOLDER / "errors")}
    command = ["haproxy", "-c", "-f", str(path)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)


def _most(name: str) -> dict[str, int]:
    """The maxconn of each section that has one."""
    found, section = {}, ""
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        if re.match(r"\w", line):
            section = line.partition(" from ")[0].strip()
        elif words := re.fullmatch(r"\s+maxconn (\d+)", line):
            found[section] = int(words[1])
    return found
