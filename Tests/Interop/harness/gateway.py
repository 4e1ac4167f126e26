"""The product, run as its users run it: files in a folder, one process, addresses."""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess

from .deadline import PATIENCE, eventually
from .process import Process

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("SWITCHBOARD_BIN", str(ROOT / ".build" / "debug" / "switchboard"))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Configuration:
    """gateway.yaml and virtual-servers/ in a folder. JSON is YAML, so that is what is written."""

    def __init__(self, folder, upstreams, servers, **more):
        self.folder = pathlib.Path(folder)
        self.path = self.folder / "gateway.yaml"
        self.environment = {"XDG_STATE_HOME": str(self.folder / "state"), "HOME": str(self.folder)}
        self.write(upstreams, servers, **more)

    def write(self, upstreams, servers, **more):
        (self.folder / "virtual-servers").mkdir(parents=True, exist_ok=True)
        for name, server in servers.items():
            self.write_server(name, server)
        self.write_gateway({**more, "upstreams": upstreams})

    def write_gateway(self, settings):
        self.replace(self.path, json.dumps(settings, indent=2))

    def write_server(self, name, server):
        text = server if isinstance(server, str) else json.dumps(server if "roles" in server else {"access": "everyone", **server}, indent=2)
        self.replace(self.folder / "virtual-servers" / f"{name}.yaml", text)

    @staticmethod
    def replace(path, text):
        # Never half a file: the gateway may be looking.
        partial = path.with_suffix(".partial")
        partial.write_text(text, encoding="utf-8")
        partial.rename(path)

    def run(self, *arguments, input=None, config=True):
        """Runs a command of the program to its end."""
        command = [BINARY, *arguments] + (["--config", str(self.path)] if config else [])
        return subprocess.run(
            command, input=input, capture_output=True, text=True, timeout=PATIENCE * 2, cwd=self.folder,
            env={**os.environ, **self.environment})


class Gateway:
    """`switchboard serve` with its configuration; `tls` is what it is connected with where it speaks https, as `localhost`."""

    def __init__(self, configuration, environment=None, tls=None):
        self.configuration = configuration
        self.tls = tls
        self.environment = environment or {}
        self.process = None
        self.port = None

    @property
    def origin(self):
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    def url(self, server):
        return f"{self.origin}/{server}/mcp"

    def sse_url(self, server):
        return f"{self.origin}/{server}/sse"

    def start(self, port=None):
        self.port = port or free_port()
        self.process = Process(
            [BINARY, "serve", "--config", self.configuration.path, "--listen", f"127.0.0.1:{self.port}"],
            {**self.configuration.environment, **self.environment}, folder=self.configuration.folder)

        def healthy():
            assert self.process.is_running, f"the gateway ended:\n{self.process.stderr}"
            return self.status("/healthz") == 200

        try:
            eventually(healthy, what="/healthz")
        except BaseException:
            self.process.kill()
            raise
        return self

    def get(self, path, headers=None):
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=PATIENCE, context=self.tls) if self.tls else \
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def status(self, path):
        try:
            return self.get(path)[0]
        except OSError:
            return None

    def ready(self):
        """/readyz as JSON."""
        return json.loads(self.get("/readyz")[1])

    def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def stop(self):
        self.process.stop()

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.process.kill()
