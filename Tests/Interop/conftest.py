"""One gateway over every kind of upstream, shared by the tests that leave it as they found it."""

import contextlib
import itertools
import os

import pytest
from harness.clients import KINDS, Target
from harness.deadline import eventually
from harness.gateway import BINARY, Configuration, Gateway
from harness.raw import RawUpstream
from harness.upstream import Upstream, running

# The checks' assertions show their values too.
pytest.register_assert_rewrite("conformance", "harness.peer")

DIRECT = os.environ.get("INTEROP_DIRECT") == "1"

# name: (sdk, transport, kind, keys in gateway.yaml)
UPSTREAMS = {
    "modern": ("current", "http", "all", {}),
    "handshake": ("current", "http", "all", {"era": "legacy"}),
    "older": ("legacy", "http", "all", {}),
    "sse": ("legacy", "sse", "all", {}),
    "child": ("current", "stdio", "all", {}),
    "oldchild": ("legacy", "stdio", "all", {}),
}


def pytest_configure(config):
    if not DIRECT and not os.access(BINARY, os.X_OK):
        raise pytest.UsageError(f"no program at {BINARY}; build it (make unit) or set SWITCHBOARD_BIN; "
                                "INTEROP_DIRECT=1 tests the tests, without a gateway")


def pytest_collection_modifyitems(items):
    if DIRECT:
        for item in items:
            if item.get_closest_marker("gateway"):
                item.add_marker(pytest.mark.skip(reason="needs the gateway"))


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


class World:
    """The shared upstreams and the gateway over them; virtual server `via-NAME` shows all of one upstream."""

    def __init__(self, upstreams, gateway):
        self.upstreams, self.gateway = upstreams, gateway

    def target(self, upstream):
        if self.gateway is None:
            return Target.upstream(self.upstreams[upstream])
        return Target.server(self.gateway, f"via-{upstream}")

    def url_of(self, server):
        return Target.server(self.gateway, server).urls["http"]

    def url(self, upstream):
        return self.target(upstream).urls["http"]


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    upstreams = {name: Upstream(folder, name, sdk, transport, kind) for name, (sdk, transport, kind, _) in UPSTREAMS.items()}
    upstreams["pages"] = Upstream(folder, "pages", "current", "http", "paged")
    upstreams["checks"] = Upstream(folder, "checks", "current", "http", "conformance")
    with running(*upstreams.values()):
        if DIRECT:
            yield World(upstreams, None)
            return
        settings = {name: upstream.settings(**UPSTREAMS.get(name, (0, 0, 0, {}))[3]) for name, upstream in upstreams.items()}
        servers = {
            f"via-{name}": {
                "names": "plain", "tools": [f"{name}.*"], "prompts": [f"{name}.*"], "resources": [f"{name}.*"], "new_tools": "show",
                "instructions": "For tests only."}
            for name in upstreams}
        servers["prefixed"] = {"tools": ["modern.echo", "older.*", "child.add"]}
        with Gateway(Configuration(folder, settings, servers)) as gateway:
            eventually(lambda: all(state["state"] == "up" for state in gateway.ready()["upstreams"].values()), within=30)
            yield World(upstreams, gateway)


@pytest.fixture
def workshop(tmp_path):
    """Makes upstreams and gateways that a test may break; everything is stopped, and counted, at its end."""
    with contextlib.ExitStack() as stack:
        yield Workshop(tmp_path, stack)


class Workshop:
    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack

    def upstream(self, name, sdk="current", transport="http", kind="plain", start=True):
        upstream = Upstream(self.folder, name, sdk, transport, kind)
        self.stack.callback(upstream.stop)
        return upstream.start() if start else upstream

    def raw(self, **how):
        upstream = RawUpstream(**how)
        self.stack.callback(upstream.stop)
        return upstream

    def serve_raw(self, **how):
        """An upstream without an SDK as `raw`, and a gateway whose `team` shows all of it."""
        raw = self.raw(**how)
        servers = {"team": {"title": "The team", "names": "plain", "tools": ["raw.*"], "new_tools": "show"}}
        return raw, self.gateway(self.configuration({"raw": {"url": raw.url}}, servers))

    def configuration(self, upstreams, servers, **more):
        settings = {u.name: u.settings() for u in upstreams} if isinstance(upstreams, (list, tuple)) else upstreams
        return Configuration(self.folder, settings, servers, **more)

    def gateway(self, configuration, **options):
        return self.stack.enter_context(Gateway(configuration, **options))


def pairs():
    """Every client with every upstream that it can reach."""
    for client, upstream in itertools.product(KINDS, UPSTREAMS):
        if DIRECT:
            _, transport, mode = KINDS[client]
            if UPSTREAMS[upstream][1] != transport:
                continue
        yield client, upstream


def pytest_generate_tests(metafunc):
    # A test that names its clients itself is left alone.
    chosen = {name for mark in metafunc.definition.iter_markers("parametrize") for name in mark.args[0].replace(" ", "").split(",")}
    names = set(metafunc.fixturenames) - chosen
    if "client" in names and "upstream" in names:
        metafunc.parametrize("client, upstream", list(pairs()))
    elif "client" in names:
        metafunc.parametrize("client", [k for k in KINDS if not DIRECT or KINDS[k][1] == "http"])
