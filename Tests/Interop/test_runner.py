"""The connections that the official suite's runner makes, byte for byte: Node's `fetch` and, before 2026-07-28, the TypeScript SDK's client."""

import http.client
import json
import urllib.parse

import pytest
from harness import schemas
from harness.deadline import PATIENCE
from harness.wire import META

pytestmark = [pytest.mark.gateway]

LEGACY = "2025-11-25"
BOTH = "application/json, text/event-stream"
INFO = {"name": "conformance-test-client", "version": "1.0.0"}
CAPABILITIES = {"sampling": {}, "elicitation": {}}


class Fetch:
    """One connection, kept alive, with the header fields that `fetch` adds to its caller's, in its order."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.path = parts.path
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)

    def send(self, method, body=None, **headers):
        self.connection.putrequest(method, self.path, skip_accept_encoding=True)
        self.connection.putheader("connection", "keep-alive")
        for name, value in headers.items():
            self.connection.putheader(name.replace("_", "-"), value)
        for name, value in (("accept-language", "*"), ("sec-fetch-mode", "cors"), ("user-agent", "node"), ("accept-encoding", "gzip, deflate")):
            self.connection.putheader(name, value)
        text = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        if text is not None:
            self.connection.putheader("content-length", str(len(text)))
        self.connection.endheaders(text)
        return self.connection.getresponse()

    def post(self, body, accept=BOTH, **headers):
        return self.send("POST", body, accept=accept, content_type="application/json", **headers)

    def close(self):
        self.connection.close()


def messages(reply):
    """As the suite reads a stream: each line by itself, what is no JSON left out."""
    if reply.headers.get_content_type() == "application/json":
        yield json.loads(reply.read())
        return
    assert reply.headers.get_content_type() == "text/event-stream"
    for line in reply:
        line = line.decode().strip().removeprefix("data:").strip()
        if line.startswith("{"):
            yield json.loads(line)


def answer(reply, id):
    seen = []
    for message in messages(reply):
        seen.append(message)
        if message.get("id") == id and ("result" in message or "error" in message):
            return message, seen
    raise AssertionError(f"no answer to {id} but {seen}")


@pytest.mark.parametrize("upstream", ["older", "modern", "oldchild", "child", "sse"])
def test_a_whole_session_of_the_sdks_client(world, upstream):
    url = world.url(upstream)
    calls, stream = Fetch(url), Fetch(url)
    params = {"protocolVersion": LEGACY, "capabilities": CAPABILITIES, "clientInfo": INFO}
    reply = calls.post({"method": "initialize", "params": params, "jsonrpc": "2.0", "id": 0})
    session = reply.headers["mcp-session-id"]
    opened, _ = answer(reply, 0)
    schemas.check(opened, LEGACY, "initialize")
    reply.read()
    negotiated = {"mcp_session_id": session, "mcp_protocol_version": opened["result"]["protocolVersion"]}
    reply = calls.post({"method": "notifications/initialized", "jsonrpc": "2.0"}, **negotiated)
    assert (reply.status, reply.read()) == (202, b"")
    # The client opens its stream now, and takes 405 for an answer too.
    listening = stream.send("GET", accept="text/event-stream", **negotiated)
    assert listening.status == 200 and listening.headers.get_content_type() == "text/event-stream"

    def ask(id, method, **params):
        reply = calls.post({"method": method, "params": params, "jsonrpc": "2.0", "id": id}, **negotiated)
        assert reply.status == 200
        return reply

    def result(id, method, **params):
        reply = ask(id, method, **params)
        message, seen = answer(reply, id)
        reply.read()
        schemas.check(message, LEGACY, method)
        return message["result"], seen

    assert "test_simple_text" in [tool["name"] for tool in result(1, "tools/list")[0]["tools"]]
    called, seen = result(2, "tools/call", name="test_tool_with_progress", arguments={}, _meta={"progressToken": "progress-test-1"})
    steps = [message["params"]["progress"] for message in seen if message.get("method") == "notifications/progress"]
    assert len(steps) == 3 and steps == sorted(steps) and called["content"]

    # A question in mid-call is answered on another connection, while the call's stream is read.
    asking = ask(3, "tools/call", name="test_sampling", arguments={"prompt": "Test prompt for sampling"})
    heard = messages(asking)
    question = next(message for message in heard if message.get("method") == "sampling/createMessage")
    said = {"role": "assistant", "content": {"type": "text", "text": "This is a test response"}, "model": "test-model", "stopReason": "endTurn"}
    other = Fetch(url)
    reply = other.post({"jsonrpc": "2.0", "id": question["id"], "result": said}, **negotiated)
    assert (reply.status, reply.read()) == (202, b"")
    done = next(message for message in heard if message.get("id") == 3)
    assert "This is a test response" in done["result"]["content"][0]["text"]
    asking.read()

    # At the end a raw DELETE; only then are the streams let go.
    reply = other.send("DELETE", accept="*/*", **negotiated)
    assert 200 <= reply.status < 300
    reply.read()
    assert calls.post({"method": "ping", "jsonrpc": "2.0", "id": 4}, **negotiated).status == 404
    for connection in (calls, stream, other):
        connection.close()


@pytest.mark.parametrize("upstream", ["modern", "older", "child", "oldchild", "sse"])
def test_requests_without_a_session(world, upstream):
    fetch = Fetch(world.url(upstream))
    meta = {META + "protocolVersion": schemas.MODERN, META + "clientInfo": INFO,
            META + "clientCapabilities": {**CAPABILITIES, "roots": {"listChanged": True}}}

    def ask(id, method, **params):
        name = params.get("name") or params.get("uri")
        reply = fetch.post(
            {"jsonrpc": "2.0", "id": id, "method": method, "params": {**params, "_meta": {**meta, **params.get("_meta", {})}}},
            mcp_protocol_version=schemas.MODERN, mcp_method=method, **({"mcp_name": name} if name else {}))
        message, seen = answer(reply, id)
        schemas.check(message, schemas.MODERN, method)
        return reply, message, seen

    for id, method in enumerate(("server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list"), 1):
        reply, message, _ = ask(id, method)
        assert reply.status == 200 and message["result"]["resultType"] == "complete"
        reply.read()
    reply, message, seen = ask(10, "tools/call", name="test_tool_with_progress", arguments={}, _meta={"progressToken": "p"})
    assert message["result"]["content"] and len(seen) > 3
    # The answer is there: the suite throws the rest of the stream away, and the connection with it.
    fetch.close()
    reply, message, _ = ask(11, "resources/read", uri="test://static-text")
    assert message["result"]["contents"]
    fetch.close()
    # Four at once, each on a connection of its own, read only when all are open.
    many = [Fetch(world.url(upstream)) for _ in range(4)]
    replies = [one.post({"jsonrpc": "2.0", "id": 20 + n, "method": "tools/call", "params": {"name": "test_simple_text", "_meta": meta}},
                        mcp_protocol_version=schemas.MODERN, mcp_method="tools/call", mcp_name="test_simple_text") for n, one in enumerate(many)]
    assert [answer(reply, 20 + n)[0]["result"]["resultType"] for n, reply in enumerate(replies)] == ["complete"] * 4
    for one in many:
        one.close()
