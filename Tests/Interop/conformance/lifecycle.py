"""Scenarios server-initialize and server-session-lifecycle."""

from harness.wire import Wire, request

from .registry import LEGACY, scenario


@scenario("server-initialize", [LEGACY])
def initialize(case):
    peer = case.peer
    assert peer.opening["protocolVersion"] == case.revision
    assert peer.opening["serverInfo"]["name"] and peer.opening["serverInfo"]["version"]
    assert isinstance(peer.opening["capabilities"], dict)
    assert peer.wire.session and all(0x21 <= ord(character) <= 0x7E for character in peer.wire.session)

    # The suite asks once more, with a version header that no client sends yet.
    raw = Wire(case.url, case.revision)
    params = {"protocolVersion": case.revision, "capabilities": {}, "clientInfo": {"name": "conformance", "version": "1.0.0"}}
    reply = raw.post(request("initialize", params), {"MCP-Protocol-Version": case.revision})
    session = reply.headers.get("mcp-session-id")
    assert reply.status == 200 and reply.result
    assert session and all(0x21 <= ord(character) <= 0x7E for character in session)
    raw.session = session
    assert raw.delete().status in (200, 202, 204)


@scenario("server-session-lifecycle", [LEGACY])
def session(case):
    wire = case.peer.wire
    assert 200 <= wire.delete().status < 300
    assert wire.post(request("tools/list", {})).status == 404
