"""The revisions with `initialize` and sessions, by hand: lifecycle, sessions, streams, batches, HTTP+SSE."""

import json
import urllib.parse

import pytest
from harness.schemas import MODERN, check
from harness.wire import Wire, request

pytestmark = pytest.mark.quick

STREAMABLE = ("2025-03-26", "2025-06-18", "2025-11-25")


@pytest.fixture(params=STREAMABLE)
def wire(request, world):
    return Wire(world.url("checks"), request.param)


@pytest.fixture
def open_wire(wire):
    wire.initialize()
    return wire


# Opening

def test_initialize_answers_in_the_revision_that_was_asked_for(wire):
    result = wire.initialize()
    assert result["protocolVersion"] == wire.revision
    assert result["serverInfo"]["name"] and result["serverInfo"]["version"]
    assert "tools" in result["capabilities"]


def test_an_unknown_revision_is_answered_with_one_that_is_known(world):
    wire = Wire(world.url("checks"), "2025-11-25")
    assert wire.initialize(asked="2031-01-01")["protocolVersion"] in STREAMABLE


def test_the_oldest_revision_is_served_here_too(world):
    wire = Wire(world.url("checks"), "2024-11-05")
    assert wire.initialize()["protocolVersion"] == "2024-11-05"
    assert wire.call("tools/list").result["tools"]


def test_the_session_id_is_visible_ascii(open_wire):
    assert open_wire.session and all(0x21 <= ord(c) <= 0x7E for c in open_wire.session)


def test_every_session_has_its_own_id(world):
    ids = set()
    for _ in range(5):
        wire = Wire(world.url("checks"), "2025-11-25")
        wire.initialize()
        ids.add(wire.session)
    assert len(ids) == 5


def test_notifications_are_accepted_without_a_body(open_wire):
    reply = open_wire.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (reply.status, reply.body) == (202, b"")


def test_ping_is_answered(open_wire):
    assert open_wire.call("ping", id="p").answer() == {"jsonrpc": "2.0", "id": "p", "result": {}}


# Using it

def test_lists_and_calls_work(open_wire):
    tools = open_wire.call("tools/list").result["tools"]
    assert "test_simple_text" in [tool["name"] for tool in tools]
    result = open_wire.call("tools/call", {"name": "test_simple_text", "arguments": {}}).result
    assert result["content"][0]["type"] == "text"
    # What belongs to the modern era only is not sent to a legacy client.
    assert not {"resultType", "ttlMs", "cacheScope"} & set(result)


def test_progress_and_logs_come_on_the_calls_stream(open_wire):
    reply = open_wire.call("tools/call", {"name": "test_tool_with_progress", "arguments": {}}, progressToken=17)
    assert reply.is_stream and reply.result["content"]
    steps = [m["params"] for m in reply.notifications if m["method"] == "notifications/progress"]
    assert [(s["progressToken"], s["progress"]) for s in steps] == [(17, 0), (17, 50), (17, 100)]


def test_a_log_level_can_be_set(open_wire):
    assert open_wire.call("logging/setLevel", {"level": "info"}).answer()["result"] == {}
    reply = open_wire.call("tools/call", {"name": "test_tool_with_logging", "arguments": {}})
    assert reply.result["content"]
    said = [m["params"]["data"] for m in reply.notifications if m["method"] == "notifications/message"]
    assert said == ["Tool execution started", "Tool processing data", "Tool execution completed"]


@pytest.mark.gateway
def test_log_messages_below_the_level_are_kept_back(open_wire):
    assert open_wire.call("logging/setLevel", {"level": "error"}).answer()["result"] == {}
    reply = open_wire.call("tools/call", {"name": "test_tool_with_logging", "arguments": {}})
    assert reply.result["content"]
    assert not [m for m in reply.notifications if m["method"] == "notifications/message"]


def test_a_method_that_does_not_exist_is_an_error_of_the_request(open_wire):
    assert open_wire.call("unknown/method", id=9).error["code"] == -32601


@pytest.mark.gateway
def test_discover_is_not_a_legacy_method(open_wire):
    assert open_wire.call("server/discover").error["code"] == -32601


def test_concurrent_calls_have_streams_of_their_own(open_wire):
    gate = f"two-{open_wire.revision}"
    wire = Wire(open_wire.url.replace("checks", "modern"), open_wire.revision)
    if wire.url == open_wire.url:
        pytest.skip("needs the gateway")
    wire.initialize()
    with wire.call("tools/call", {"name": "gated", "arguments": {"gate": gate}}, id=1, progressToken="t") as first:
        first.until(lambda m: m.get("method") == "notifications/progress")
        assert wire.call("tools/call", {"name": "release", "arguments": {"gate": gate}}, id=2).result
        assert first.answer()["id"] == 1


def test_a_call_can_be_cancelled(world):
    from harness.deadline import eventually
    wire = Wire(world.url("modern"), "2025-11-25")
    wire.initialize()
    with wire.call("tools/call", {"name": "gated", "arguments": {"gate": "wire-cancel"}}, id=77, progressToken="c") as stream:
        stream.until(lambda m: m.get("method") == "notifications/progress")
        reply = wire.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 77, "reason": "test"}})
        assert reply.status == 202
        journal = world.upstreams["modern"].journal
        eventually(lambda: journal.entries(event="cancelled", arguments={"gate": "wire-cancel"}))


@pytest.mark.gateway
def test_a_dropped_stream_does_not_cancel(world):
    """2025-11-25 basic/transports: a disconnection is not a cancellation."""
    wire = Wire(world.url("modern"), "2025-11-25")
    wire.initialize()
    journal = world.upstreams["modern"].journal
    with wire.call("tools/call", {"name": "gated", "arguments": {"gate": "wire-drop"}}, id=78, progressToken="d") as stream:
        stream.until(lambda m: m.get("method") == "notifications/progress")
    assert wire.call("tools/call", {"name": "echo", "arguments": {"text": "still here"}}).result
    assert not journal.entries(event="cancelled", arguments={"gate": "wire-drop"})
    wire.call("tools/call", {"name": "release", "arguments": {"gate": "wire-drop"}})


# Sessions

def test_a_deleted_session_is_gone(open_wire):
    assert open_wire.delete().status in (200, 202, 204)
    reply = open_wire.post(request("tools/list", {}))
    assert reply.status == 404
    assert open_wire.delete().status == 404


def test_an_unknown_session_is_not_found(wire):
    wire.session = "no-such-session"
    assert wire.post(request("tools/list", {})).status == 404


def test_a_changed_session_id_is_not_found(open_wire):
    id = open_wire.session
    for place in {0, len(id) // 2, len(id) - 1}:
        open_wire.session = id[:place] + ("A" if id[place] != "A" else "B") + id[place + 1:]
        assert open_wire.post(request("tools/list", {})).status == 404


@pytest.mark.gateway
@pytest.mark.parametrize("spoil", [
    pytest.param(lambda id: id[:-4], id="shorter"), pytest.param(lambda id: id + "AAAA", id="longer"), pytest.param(lambda id: id + "=", id="padded"),
    pytest.param(lambda id: "x" * 4000, id="long"), pytest.param(lambda id: "", id="empty"), pytest.param(lambda id: id.swapcase(), id="other case"),
])
def test_a_session_id_is_taken_as_it_was_given_or_not_at_all(open_wire, spoil):
    open_wire.session, given = spoil(open_wire.session), open_wire.session
    headers = {"Mcp-Session-Id": open_wire.session}
    assert open_wire.post(request("tools/list", {}), headers).status == 404
    assert open_wire.send("GET", headers={"Accept": "text/event-stream", **headers}).status == 404
    assert open_wire.send("DELETE", headers=headers).status == 404
    open_wire.session = given
    assert open_wire.post(request("tools/list", {})).status == 200


@pytest.mark.gateway
def test_a_session_belongs_to_its_virtual_server(world):
    wire = Wire(world.url("checks"), "2025-11-25")
    wire.initialize()
    other = Wire(world.url("modern"), "2025-11-25")
    other.session = wire.session
    assert other.post(request("tools/list", {})).status == 404
    assert other.listen().status == 404
    assert other.delete().status == 404
    assert wire.post(request("tools/list", {})).status == 200


def test_a_request_without_a_session_is_served_or_told_so(wire):
    reply = wire.post(request("tools/list", {}))
    assert reply.status in (200, 400)


@pytest.mark.gateway
def test_a_client_that_keeps_no_session_is_served(wire):
    """Some clients never send the session id back; where nothing depends on it they are served."""
    wire.initialize()
    wire.session = None
    reply = wire.post(request("tools/list", {}))
    assert reply.status == 200 and reply.result["tools"]


@pytest.mark.gateway
def test_a_session_outlives_the_gateway(world, workshop):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {"team": {"names": "plain", "tools": ["one.*"]}})
    from harness.gateway import Gateway
    gateway = Gateway(configuration).start()
    wire = Wire(gateway.url("team"), "2025-11-25")
    wire.initialize()
    gateway.stop()
    again = Gateway(configuration).start(port=gateway.port)
    try:
        assert wire.call("tools/list").result["tools"]
    finally:
        again.stop()


@pytest.mark.gateway
@pytest.mark.parametrize("version, status", [("2025-11-25", 200), (None, 200), ("1999-01-01", 400), ("nonsense", 400)])
def test_the_version_header_must_be_one_that_is_known(world, version, status):
    wire = Wire(world.url("checks"), "2025-11-25")
    wire.initialize()
    assert wire.post(request("tools/list", {}), {"MCP-Protocol-Version": version}).status == status


# Headers and bodies that two readers could take differently

@pytest.mark.gateway
@pytest.mark.parametrize("name, value", [
    ("Mcp-Session-Id", "$SESSION"), ("Mcp-Session-Id", "other"), ("MCP-Protocol-Version", "2025-11-25"), ("MCP-Protocol-Version", "2025-06-18"),
    ("Content-Type", "application/json"), ("Content-Encoding", "identity"), ("Authorization", "Bearer x"),
])
def test_a_header_that_stands_twice_is_refused(world, name, value):
    wire = Wire(world.url("checks"), "2025-11-25")
    wire.initialize()
    headers = [("Content-Type", "application/json"), ("Accept", "application/json"), ("Mcp-Session-Id", wire.session),
               ("MCP-Protocol-Version", "2025-11-25"), ("Content-Encoding", "identity"), ("Authorization", "Bearer x")]
    assert wire.send(body=request("tools/list", {}), headers=headers, answers="tools/list").status == 200
    for more in (headers + [(name.lower(), value.replace("$SESSION", wire.session))], [(name, value)] + headers):
        reply = wire.send(body=request("tools/list", {}), headers=more)
        assert reply.status == 400 and name.lower() in reply.body.decode().lower()


@pytest.mark.gateway
@pytest.mark.parametrize("kind, coding, status", [
    (None, None, 200), ("application/json", None, 200), ("Application/JSON; Charset=\"UTF-8\"", None, 200),
    ("application/json;profile=x", "identity", 200), ("text/plain", None, 415), ("application/jsonp", None, 415), ("text/json", None, 415),
    ("application/json; charset=utf-16", None, 415), ("application/json; charset=iso-8859-1", None, 415), ("", None, 415),
    ("application/x-www-form-urlencoded", None, 415), ("multipart/form-data; boundary=application/json", None, 415),
    ("application/json", "gzip", 415), ("application/json", "identity, gzip", 415),
])
@pytest.mark.parametrize("revision", ["2025-11-25", MODERN])
def test_a_body_is_json_in_utf_8_or_refused(world, revision, kind, coding, status):
    """A page of another site can send a form or plain text without asking first; another charset would be another text."""
    wire = Wire(world.url("checks"), revision)
    headers = {"Content-Type": kind, "Content-Encoding": coding}
    if revision != MODERN:
        wire.initialize()
        assert wire.post(request("tools/list", {}), headers).status == status
    else:
        assert wire.call("tools/list", headers=headers).status == status


# Streams

def test_the_get_stream_announces_changes(open_wire):
    with open_wire.listen() as stream:
        assert (stream.status, stream.is_stream) == (200, True)
        # A list makes the upstream known to the session; the change is announced on the GET stream.
        open_wire.call("tools/list")
        open_wire.call("tools/call", {"name": "test_trigger_tool_change", "arguments": {}})
        stream.until(lambda m: m.get("method") == "notifications/tools/list_changed")


def test_get_wants_an_event_stream_to_be_accepted(open_wire):
    headers = {"Accept": "application/json", "MCP-Protocol-Version": open_wire.revision, "Mcp-Session-Id": open_wire.session}
    assert open_wire.send("GET", headers=headers).status in (400, 405, 406)


@pytest.mark.gateway
@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json;q=0.9, text/event-stream;q=0.1"])
def test_details_of_accept_are_not_insisted_on(world, accept):
    wire = Wire(world.url("checks"), "2025-11-25")
    wire.initialize()
    assert wire.post(request("tools/list", {}), {"Accept": accept}).status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "HEAD", "TRACE"])
def test_other_methods_are_not_allowed(world, method):
    assert Wire(world.url("checks")).send(method, headers={}).status in (400, 405, 501)


# Batches

@pytest.mark.gateway
def test_2025_03_26_has_batches(world):
    wire = Wire(world.url("checks"), "2025-03-26")
    wire.initialize()
    reply = wire.post([
        request("ping", id=1), {"jsonrpc": "2.0", "method": "notifications/initialized"}, request("tools/list", {}, id=2),
        request("no/such/method", {}, id=3)])
    assert reply.status == 200
    if reply.is_stream:
        while len([m for m in reply.messages if "method" not in m]) < 3:
            reply.next()
        messages = reply.messages
    else:
        messages = reply.messages[0]
    answers = {m["id"]: m for m in messages}
    assert answers[1]["result"] == {} and answers[2]["result"]["tools"] and answers[3]["error"]["code"] == -32601


@pytest.mark.gateway
def test_the_calls_of_a_batch_reach_their_upstream(world):
    wire = Wire(world.url("child"), "2025-03-26")
    wire.initialize()
    calls = [request("tools/call", {"name": "echo", "arguments": {"text": str(n)}}, id=f"call-{n}") for n in range(10)]
    messages = wire.post(calls).messages[-1]
    assert {m["id"]: m["result"]["content"][0]["text"] for m in messages} == {f"call-{n}": str(n) for n in range(10)}


@pytest.mark.gateway
def test_a_batch_of_notifications_is_accepted_without_a_body(world):
    wire = Wire(world.url("checks"), "2025-03-26")
    wire.initialize()
    reply = wire.post([{"jsonrpc": "2.0", "method": "notifications/initialized"}] * 2)
    assert (reply.status, reply.body) == (202, b"")


@pytest.mark.gateway
@pytest.mark.parametrize("batch", [[], [request("ping")] * 5000, "[1", '[{"jsonrpc":"2.0","id":1,"method":"ping"},]'], ids=["empty", "endless", "broken", "comma"])
def test_a_batch_that_is_none_is_refused_whole(world, batch):
    wire = Wire(world.url("checks"), "2025-03-26")
    wire.initialize()
    reply = wire.send(body=batch if isinstance(batch, list) else batch.encode(), headers={
        "Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Mcp-Session-Id": wire.session})
    assert reply.status == 400 and reply.messages[-1]["error"]["code"] in (-32600, -32700)


@pytest.mark.gateway
@pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25"])
def test_later_revisions_have_none(world, revision):
    wire = Wire(world.url("checks"), revision)
    wire.initialize()
    assert wire.post([request("ping", id=1), request("ping", id=2)]).status == 400


# HTTP+SSE of 2024-11-05

class Sse:
    def __init__(self, url):
        self.wire = Wire(url, "2024-11-05")
        self.stream = self.wire.send("GET", headers={"Accept": "text/event-stream"})
        assert (self.stream.status, self.stream.is_stream) == (200, True)
        name, endpoint = self.stream.event()
        assert name == "endpoint"
        self.endpoint = urllib.parse.urljoin(url, endpoint)

    def post(self, message, expected=202):
        parts = urllib.parse.urlsplit(self.endpoint)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        reply = self.wire.send("POST", message, {"Content-Type": "application/json"}, path=path)
        assert reply.status == expected, reply.body

    def ask(self, method, params=None, id=1):
        self.post(request(method, params or {}, id))
        while True:
            _, data = self.stream.event()
            message = json.loads(data)
            check(message, "2024-11-05", method if message.get("id") == id else None)
            if message.get("id") == id:
                return message


@pytest.fixture
def sse(world):
    target = world.target("sse" if world.gateway is None else "checks")
    session = Sse(target.urls["sse"])
    with session.stream:
        opened = session.ask("initialize", {
            "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "interop", "version": "1"}}, id=0)
        assert opened["result"]["protocolVersion"] == "2024-11-05"
        session.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        yield session


def test_a_client_of_2024_11_05_lists_and_calls(sse):
    tools = sse.ask("tools/list", id=1)["result"]["tools"]
    assert tools
    assert sse.ask("ping", id="p")["result"] == {}
    assert sse.ask("no/such/method", id=2)["error"]["code"] in (-32601, -32602)


def test_the_endpoint_is_on_the_same_origin(sse):
    parts = urllib.parse.urlsplit(sse.endpoint)
    assert (parts.hostname, parts.port) == (sse.wire.host, sse.wire.port)


def test_messages_for_nobody_are_not_found(sse):
    parts = urllib.parse.urlsplit(sse.endpoint)
    reply = sse.wire.send("POST", request("ping"), {"Content-Type": "application/json"}, path=parts.path + "?session_id=" + "0" * 32)
    assert reply.status in (400, 404)
