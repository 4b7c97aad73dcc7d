"""Programs that listen where they are told and answer 200 to everything, for tests of whoever starts the real ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from devstack import waiting

_CODE = f"""#!{sys.executable} -S
import json, os, re, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

unfinished = Path(sys.argv[0] + ".new")
unfinished.write_text(json.dumps({{"argv": sys.argv[1:], "env": dict(os.environ)}}))
unfinished.replace(sys.argv[0] + ".told")
if sys.argv[1:2] in (["image"], ["rm"]):
    sys.exit(0)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

if "FAILS" in os.environ and "exporter" in Path(sys.argv[0]).name:
    sys.exit(1)
listen = re.search(r"--web.listen-address=\\S+:(\\d+)", " ".join(sys.argv))
port = listen[1] if listen else os.environ["GF_SERVER_HTTP_PORT"]
HTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""


def make(folder: Path, *names: str) -> None:
    """Programs of these names in `folder`. As `docker` one has every image, and runs containers that listen."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        file = folder / name
        file.write_text(_CODE)
        file.chmod(0o755)


def told(folder: Path, name: str) -> Any:
    """`argv` and `env` of the last start of one."""
    file = folder / f"{name}.told"
    assert waiting.until(file.exists, 10), f"{name} was not started"
    return json.loads(file.read_text())
