"""`switchboard stdio` by hand: what Claude or an IDE launches."""

import itertools
import json
import os
import signal
import subprocess

import pytest
from harness import schemas
from harness.deadline import PATIENCE, eventually
from harness.gateway import BINARY
from harness.process import Process
from harness.schemas import MODERN
from harness.wire import META, meta, request

pytestmark = pytest.mark.gateway


class Pipe:
    """The program's standard streams, line by line; every line must be a message that the schema allows."""

    def __init__(self, configuration, server, revision):
        self.revision = revision
        self.methods = {}
        self.messages = []
        self.process = Process(
            [BINARY, "stdio", "--config", configuration.path, "--server", server], configuration.environment,
            folder=configuration.folder, pipes=True)

    def write(self, line):
        self.process.child.stdin.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        self.process.child.stdin.flush()

    def send(self, method, params=None, id=None):
        params = dict(params or {})
        if self.revision == MODERN:
            params.setdefault("_meta", meta())
        if id is None:
            self.write({"jsonrpc": "2.0", "method": method, "params": params})
        else:
            self.methods[id] = method
            self.write(request(method, params, id))

    def read(self):
        line = self.process.child.stdout.readline()
        if not line:
            return None
        message = json.loads(line)
        if not ("error" in message and message.get("id") is None):
            schemas.check(message, self.revision, self.methods.get(message.get("id")) if "method" not in message else None)
        self.messages.append(message)
        return message

    def until(self, done):
        while True:
            message = self.read()
            assert message is not None, f"ended after {self.messages}; said:\n{self.process.stderr}"
            if done(message):
                return message

    def ask(self, method, params=None, id=1):
        self.send(method, params, id)
        return self.until(lambda m: m.get("id") == id and "method" not in m)

    def open(self):
        if self.revision == MODERN:
            return self.ask("server/discover", id="open")["result"]
        result = self.ask("initialize", {
            "protocolVersion": self.revision, "capabilities": {}, "clientInfo": {"name": "interop", "version": "1"}}, id="open")["result"]
        self.send("notifications/initialized")
        return result

    def close(self):
        """End of input; the rest of the output, the exit status 0, no child left."""
        self.process.child.stdin.close()
        while self.read() is not None:
            pass
        assert self.process.child.wait(PATIENCE) == 0, self.process.stderr
        eventually(lambda: not self.process.descendants(), within=5)


@pytest.fixture
def open_pipe(workshop):
    upstreams = [workshop.upstream("child", "current", "stdio"), workshop.upstream("web", "legacy", "http")]
    configuration = workshop.configuration(
        upstreams, {"team": {"tools": ["child.*", "web.*"], "new_tools": "show"}}, limits={"drain_time": "500ms"})
    pipes = []

    def make(revision):
        pipes.append(Pipe(configuration, "team", revision))
        return pipes[-1]

    make.upstreams = upstreams
    yield make
    for pipe in pipes:
        pipe.process.kill()


@pytest.fixture
def light_pipe(world):
    """To an upstream that runs already: for what does not depend on it."""
    pipes = []

    def make(revision):
        pipes.append(Pipe(world.gateway.configuration, "via-checks", revision))
        return pipes[-1]

    yield make
    for pipe in pipes:
        pipe.process.kill()


REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", MODERN]


@pytest.mark.quick
@pytest.mark.parametrize("revision", REVISIONS)
def test_a_whole_session_ends_with_status_0_and_no_child(open_pipe, revision):
    pipe = open_pipe(revision)
    opened = pipe.open()
    if revision == MODERN:
        assert MODERN in opened["supportedVersions"]
    else:
        assert opened["protocolVersion"] == revision
    # The first list does not wait for a child that starts slowly.
    asked = itertools.count(100)
    eventually(lambda: {"child_echo", "web_echo"} <= {tool["name"] for tool in pipe.ask("tools/list", id=next(asked))["result"]["tools"]})
    assert pipe.ask("tools/call", {"name": "child_add", "arguments": {"a": 1, "b": 2}}, id=2)["result"]["content"][0]["text"] == "3"
    assert pipe.ask("tools/call", {"name": "web_add", "arguments": {"a": 1, "b": 2}}, id=3)["result"]["content"][0]["text"] == "3"
    assert pipe.process.descendants()
    pipe.close()


@pytest.mark.parametrize("revision", ["2025-11-25", MODERN])
def test_end_of_input_ends_it_although_a_call_runs(open_pipe, revision):
    pipe = open_pipe(revision)
    pipe.open()
    pipe.send("tools/call", {"name": "child_gated", "arguments": {"gate": "x"}, "_meta": meta(progressToken="p")}, id=5)
    pipe.until(lambda m: m.get("method") == "notifications/progress")
    pipe.close()


@pytest.mark.quick
def test_end_of_input_before_anything_ends_it(light_pipe):
    light_pipe(MODERN).close()


@pytest.mark.parametrize("revision", ["2025-11-25", MODERN])
def test_cancelling_reaches_the_upstream(open_pipe, revision):
    pipe = open_pipe(revision)
    pipe.open()
    for upstream in open_pipe.upstreams:
        gate = f"{upstream.name}-{revision}"
        pipe.send("tools/call", {"name": f"{upstream.name}_gated", "arguments": {"gate": gate}, "_meta": meta(progressToken=gate)}, id=gate)
        pipe.until(lambda m: m.get("method") == "notifications/progress" and m["params"]["progressToken"] == gate)
        pipe.send("notifications/cancelled", {"requestId": gate, "reason": "test"})
        eventually(lambda: upstream.journal.entries(event="cancelled", arguments={"gate": gate}))
    # No answer comes for what was cancelled.
    pipe.ask("tools/list", id="after")
    assert not [m for m in pipe.messages if m.get("id") in {"child-" + revision, "web-" + revision}]
    pipe.close()


@pytest.mark.quick
def test_calls_overtake_each_other(open_pipe):
    pipe = open_pipe("2025-11-25")
    pipe.open()
    pipe.send("tools/call", {"name": "child_gated", "arguments": {"gate": "slow"}}, id="slow")
    eventually(lambda: open_pipe.upstreams[0].journal.entries(event="waiting", gate="slow"))
    assert pipe.ask("tools/call", {"name": "child_release", "arguments": {"gate": "slow"}}, id="fast")["result"]
    if not [m for m in pipe.messages if m.get("id") == "slow"]:
        pipe.until(lambda m: m.get("id") == "slow")
    pipe.close()


@pytest.mark.quick
@pytest.mark.parametrize("line, code", [
    (b"nonsense\n", -32700), (b"{\n", -32700), (b"\xff\xfe\n", -32700), (b'{"jsonrpc":"2.0","id":4}\n', -32600), (b"[]\n", -32600),
    (b'"text"\n', -32600),
])
def test_a_line_that_is_no_message_is_answered_and_survived(light_pipe, line, code):
    pipe = light_pipe("2025-11-25")
    pipe.open()
    pipe.write(line)
    assert pipe.until(lambda m: "error" in m)["error"]["code"] == code
    assert pipe.ask("ping", id="still")["result"] == {}
    pipe.close()


@pytest.mark.quick
def test_blank_lines_and_carriage_returns_are_tolerated(light_pipe):
    pipe = light_pipe("2025-11-25")
    pipe.open()
    pipe.write(b"\n\r\n" + json.dumps(request("ping", id=9)).encode() + b"\r\n")
    assert pipe.until(lambda m: m.get("id") == 9)["result"] == {}
    pipe.close()


@pytest.mark.quick
def test_an_unknown_revision_is_answered_with_the_known_ones(light_pipe):
    pipe = light_pipe(MODERN)
    error = pipe.ask("server/discover", {"_meta": meta("1999-01-01")})["error"]
    assert error["code"] == -32022 and MODERN in error["data"]["supported"] and error["data"]["requested"] == "1999-01-01"
    assert pipe.ask("server/discover", id=2)["result"]["supportedVersions"]
    pipe.close()


@pytest.mark.quick
def test_a_client_may_ask_for_the_modern_era_and_then_take_the_other(light_pipe):
    pipe = light_pipe("2025-11-25")
    pipe.write(request("server/discover", {"_meta": meta()}, id="probe"))
    pipe.revision = MODERN
    pipe.methods["probe"] = "server/discover"
    assert pipe.until(lambda m: m.get("id") == "probe")["result"]["supportedVersions"]
    pipe.revision = "2025-11-25"
    assert pipe.open()["protocolVersion"] == "2025-11-25"
    pipe.close()


def test_a_subscription_hears_of_changes_and_ends_when_cancelled(open_pipe):
    pipe = open_pipe(MODERN)
    pipe.open()
    pipe.send("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, id="listen")
    first = pipe.until(lambda m: m.get("method", "").startswith("notifications/"))
    assert first["method"] == "notifications/subscriptions/acknowledged"
    pipe.ask("tools/call", {"name": "child_add_tool", "arguments": {"name": "fresh"}}, id="add")
    changes = [m for m in pipe.messages if m.get("method") == "notifications/tools/list_changed"]
    changed = changes[0] if changes else pipe.until(lambda m: m.get("method") == "notifications/tools/list_changed")
    assert changed["params"]["_meta"][META + "subscriptionId"] == "listen"
    pipe.send("notifications/cancelled", {"requestId": "listen"})
    pipe.close()


def test_a_legacy_client_hears_of_changes(open_pipe):
    pipe = open_pipe("2025-11-25")
    pipe.open()
    pipe.ask("tools/list")
    pipe.ask("tools/call", {"name": "web_add_tool", "arguments": {"name": "fresh"}}, id="add")
    if not [m for m in pipe.messages if m.get("method") == "notifications/tools/list_changed"]:
        pipe.until(lambda m: m.get("method") == "notifications/tools/list_changed")
    pipe.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_no_child(open_pipe, number):
    pipe = open_pipe("2025-11-25")
    pipe.open()
    pipe.ask("tools/list")
    pipe.process.child.send_signal(number)
    if number == signal.SIGHUP:
        assert pipe.ask("ping", id="alive")["result"] == {}
        pipe.process.child.send_signal(signal.SIGTERM)
    assert pipe.process.child.wait(PATIENCE) == 0
    eventually(lambda: not pipe.process.descendants(), within=5)


def test_a_client_that_stops_reading_and_dies_leaves_no_child(open_pipe):
    pipe = open_pipe("2025-11-25")
    pipe.open()
    pipe.ask("tools/list")
    pipe.process.child.stdout.close()
    for number in range(20):
        try:
            pipe.send("tools/call", {"name": "child_big", "arguments": {}}, id=100 + number)
        except BrokenPipeError:
            break
    pipe.process.child.stdin.close()
    pipe.process.child.wait(PATIENCE)
    eventually(lambda: not pipe.process.descendants(), within=5)


@pytest.mark.quick
def test_an_unknown_server_is_a_clear_failure(workshop):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {"team": {"tools": ["one.echo"]}})
    done = configuration.run("stdio", "--server", "taem", input="")
    assert done.returncode in (1, 2) and done.stdout == ""
    assert "taem" in done.stderr and "team" in done.stderr


@pytest.mark.quick
def test_nothing_is_written_where_a_client_launches_it(workshop, tmp_path_factory):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {"team": {"tools": ["one.echo"]}})
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = subprocess.run(
        [BINARY, "stdio", "--config", configuration.path, "--server", "team"], cwd=elsewhere, text=True, capture_output=True,
        input=json.dumps(request("server/discover", {"_meta": meta()})) + "\n", timeout=PATIENCE,
        env={**os.environ, **configuration.environment})
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    assert list(elsewhere.iterdir()) == []
