"""A system behind TLS, as the edge serves it: whom the simulator trusts, and what it says of others."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator import errors
from tests.integration.simulator import judging
from tests.integration.simulator.stub import Stub
from tests.integration.simulator.test_closed import TOKEN, Closed
from tests.support import certificates

# A handshake takes milliseconds of CPU on either side, which here is one machine.
FEW: dict[str, Any] = {"connections": 8, "tag_timeout": 60}


async def test_with_the_certificate_it_is_judged_as_any_other(tmp_path: Path) -> None:
    made = certificates.make(tmp_path)

    found = await judging.judged(Stub(), tls=made.served(), ca_file=str(made.certificate), **FEW)

    assert found.failures == []
    assert found.gateway is not None
    assert found.endpoints[0].accepted == judging.TAGS


async def test_the_command_takes_certificate_and_token_from_files(tmp_path: Path) -> None:
    made, token = certificates.make(tmp_path), tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    options = f"--tags {judging.TAGS} --rate 1000 --run-id 7 --cookies 4 --final-aggregates 100 --inside none"
    patient = "--connections 8 --waiting 10000 --tag-timeout 60"
    async with judging.serving(Closed(), made.served()) as target:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulator", "--target", target, "--json", str(tmp_path / "report.json")),
            *(*options.split(), *patient.split(), "--ca-file", str(made.certificate), "--token-file", str(token)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output = (await asyncio.wait_for(process.communicate(), 60))[0].decode()

    assert process.returncode == 0, output
    assert json.loads((tmp_path / "report.json").read_bytes())["target"] == target
    assert TOKEN not in output


async def test_a_certificate_that_nobody_known_signed_is_not_trusted(tmp_path: Path) -> None:
    stub, made = Stub(), certificates.make(tmp_path)

    with pytest.raises(errors.NotReady, match="certificate verify failed"):
        await judging.judged(stub, tls=made.served())
    with pytest.raises(errors.NotReady, match="certificate verify failed"):
        await judging.judged(stub, tls=made.served(), inside="none")

    assert stub.tags == []


async def test_a_certificate_for_another_host_is_not_trusted(tmp_path: Path) -> None:
    made = certificates.make(tmp_path, "DNS:shop.example")

    with pytest.raises(errors.NotReady, match=r"certificate is not valid for '127.0.0.1'"):
        await judging.judged(Stub(), tls=made.served(), ca_file=str(made.certificate))


async def test_where_tls_is_wanted_and_plain_http_is_served_it_says_so(tmp_path: Path) -> None:
    made = certificates.make(tmp_path)
    async with judging.serving(Stub()) as plain:
        with pytest.raises(errors.NotReady, match=r"WRONG_VERSION_NUMBER|wrong version number|record layer failure"):
            await judging.judged(Stub(), target=plain.replace("http:", "https:"), ca_file=str(made.certificate))
