"""A gateway whose callers are vouched for by an authorization server, and calls by hand with any proof."""

import contextlib
import itertools
import json
import threading

from .authority import AuthorizationServer
from .gateway import Configuration, Gateway, free_port
from .wire import Wire


class BearerWire(Wire):
    """HTTP by hand with a proof in every request; a test's own Authorization header comes first."""

    def __init__(self, url, token=None, **options):
        super().__init__(url, **options)
        self.token = token

    def send(self, method="POST", body=None, headers=(), **options):
        pairs = list(headers.items()) if hasattr(headers, "items") else list(headers)
        if self.token and not any(name.lower() == "authorization" for name, _ in pairs):
            pairs.append(("Authorization", f"Bearer {self.token}"))
        return super().send(method, body, pairs, **options)


class Scene:
    """`gateway` trusts `authority` for its own origin; virtual server `team` shows all of `upstream` under its own names."""

    TEAM = {"names": "plain", "tools": ["one.*"], "new_tools": "show"}

    def __init__(self, folder, stack, upstream, servers=None, identity=None, settings=None, authority=None, environment=None, **more):
        self.upstream = upstream
        self.authority = authority or stack.enter_context(AuthorizationServer())
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.issuer = {"issuer": self.authority.issuer, "audience": self.origin}
        self.configuration = Configuration(
            folder, settings or {"one": upstream.settings()}, servers or {"team": self.TEAM},
            public_url=self.origin, identity=identity or {"issuers": [self.issuer]}, **more)
        self.configuration.environment |= environment or {}
        self.gateway = Gateway(self.configuration)
        self.gateway.start(self.port)
        stack.push(self.gateway)

    def token(self, user="alice@example.com", audience=None, **more):
        return self.authority.token(user, audience=audience or self.origin, **more)

    def wire(self, token=None, server="team", **options):
        return BearerWire(self.gateway.url(server), token, **options)

    def call(self, tool, arguments=None, user="alice@example.com", server="team"):
        """One modern call with a fresh token: the reply."""
        return self.wire(self.token(user), server).call("tools/call", {"name": tool, "arguments": arguments or {}})

    def names(self, user="alice@example.com", server="team"):
        return [tool["name"] for tool in self.wire(self.token(user), server).call("tools/list").result["tools"]]

    def received(self, **options):
        """The header fields that the upstream got with a call."""
        return self.call("whoami", **options).result["structuredContent"]["headers"]

    def audit(self):
        path = self.configuration.folder / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Load:
    """Calls from several threads until it is told to stop; `failures` holds what went wrong, `calls` what went well."""

    def __init__(self, make_call, threads=4):
        self.make_call, self.failures, self.calls = make_call, [], 0
        self.ending, self.lock, self.progress = threading.Event(), threading.Lock(), threading.Condition()
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def _run(self, number):
        for turn in itertools.count():
            if self.ending.is_set():
                return
            try:
                self.make_call(number, turn)
            except Exception as error:  # noqa: BLE001: whatever it is, a caller saw it
                self.failures.append(error)
            with self.progress:
                self.calls += 1
                self.progress.notify_all()

    def run(self, count, within=30):
        """Waits for so many more calls."""
        with self.progress:
            wanted = self.calls + count
            assert self.progress.wait_for(lambda: self.calls >= wanted, within), f"only {self.calls} calls"

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join(15)


@contextlib.contextmanager
def scene(folder, upstream, **options):
    with contextlib.ExitStack() as stack:
        yield Scene(folder, stack, upstream, **options)
