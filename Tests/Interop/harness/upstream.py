"""The upstreams, as processes of their own (HTTP) or as commands that the gateway starts (stdio)."""

import contextlib
import json
import os
import pathlib
import sys

from . import schemas
from .process import Process

ROOT = pathlib.Path(__file__).resolve().parents[3]
UPSTREAMS = pathlib.Path(__file__).resolve().parents[1] / "upstreams"
PYTHON = {"current": sys.executable, "legacy": str(ROOT / ".build-venv-legacy" / "bin" / "python")}


class Journal:
    """What an upstream says that it received."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def entries(self, **wanted):
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        entries = [json.loads(line) for line in lines if line.endswith("\n")]
        return [entry for entry in entries if all(entry.get(key) == value for key, value in wanted.items())]


class Traffic:
    """The messages that reached an upstream, each held against the schema of the revision that was spoken."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.seen = 0
        self.revision = None

    def skip(self):
        """Leaves out what came until now: a test may have sent it by hand."""
        for message, header in self.news():
            self.spoken(message, header)

    def check(self):
        """Checks what came since the last time."""
        for message, header in self.news():
            schemas.check_sent(message, self.spoken(message, header))

    def news(self):
        if not self.path.exists():
            return
        with open(self.path, encoding="utf-8") as file:
            file.seek(self.seen)
            for line in iter(file.readline, ""):
                if not line.endswith("\n"):
                    break
                self.seen = file.tell()
                entry = json.loads(line)
                try:
                    yield json.loads(entry["text"]), entry["revision"]
                except ValueError:
                    yield {"text": entry["text"]}, entry["revision"]

    def spoken(self, message, header):
        params = message.get("params") if isinstance(message, dict) else None
        if not isinstance(params, dict):
            return header or self.revision
        stated = (params.get("_meta") or {}).get("io.modelcontextprotocol/protocolVersion")
        if message.get("method") == "initialize":
            self.revision = params.get("protocolVersion")
        elif stated:
            self.revision = stated
        return header or self.revision


class Upstream:
    """`sdk`: current | legacy; `transport`: http | sse | stdio; `kind`: plain | all | paged | conformance."""

    def __init__(self, folder, name, sdk, transport, kind="plain"):
        self.name, self.sdk, self.transport = name, sdk, transport
        self.journal = Journal(pathlib.Path(folder) / f"{name}.journal")
        script = UPSTREAMS / ("current.py" if sdk == "current" else "legacy.py")
        self.command = [PYTHON[sdk], "-B", str(script), "--kind", kind, transport]
        self.traffic = Traffic(pathlib.Path(folder) / f"{name}.traffic")
        self.environment = {"INTEROP_JOURNAL": str(self.journal.path), "INTEROP_TRAFFIC": str(self.traffic.path)}
        self.process = None
        self.url = None

    def start(self, port=0):
        self.launch(port)
        return self.listening()

    def launch(self, port=0):
        if self.transport != "stdio":
            self.process = Process([*self.command, str(port)], self.environment)

    def listening(self):
        if self.process:
            self.url = self.process.wait_for(r"listening on (http\S+)").group(1)
        return self

    @property
    def port(self):
        return int(self.url.split(":")[2].split("/")[0])

    def stop(self):
        if self.process:
            self.process.kill()
            self.process = None

    def settings(self, **more):
        """This upstream's part of gateway.yaml."""
        if self.transport == "stdio":
            return {"command": self.command[0], "args": self.command[1:], "env": self.environment, **more}
        return {"url": self.url, **more}


@contextlib.contextmanager
def running(*upstreams):
    try:
        # At once: each takes a second to import what it needs.
        for upstream in upstreams:
            upstream.launch()
        for upstream in upstreams:
            upstream.listening()
        yield upstreams
    finally:
        for upstream in upstreams:
            upstream.stop()
