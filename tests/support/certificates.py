"""Certificates of a test's own."""

import os
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest


class Certificate(NamedTuple):
    """A certificate that signs itself, in PEM, and its key."""

    certificate: Path
    key: Path

    def served(self) -> ssl.SSLContext:
        """What a server is given."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make(folder: Path, names: str = "IP:127.0.0.1") -> Certificate:
    """One for `names`, as OpenSSL writes them. Skips without openssl, in CI as well: no locked package makes any."""
    if shutil.which("openssl", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("no openssl on this machine: TLS was not tried")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=test", "-addext", f"subjectAltName={names}", "-days", "2"]
    command += ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return made
