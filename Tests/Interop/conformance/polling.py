"""Scenario server-sse-polling (SEP-1699): a stream that breaks off is taken up again where it broke."""

import json

from .registry import LEGACY, scenario


def events(reply):
    """(id, data) of each event of a stream."""
    fields = {}
    for line in reply.response:
        name, _, value = line.decode().rstrip("\r\n").partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif line.strip() == b"" and fields:
            if "data" in fields:
                yield fields.get("id"), fields["data"]
            fields = {}


@scenario("server-sse-polling", [LEGACY])
def polling(case):
    wire = case.open(capabilities={"sampling": {}, "elicitation": {}}).wire
    assert wire.session
    # The suite names its kinds in this order, and leaves it to the server to break off; here the client does.
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "test_reconnection", "arguments": {}}}
    reply = wire.post(call, {"Accept": "text/event-stream, application/json"})
    assert reply.status == 200 and reply.is_stream
    stream = events(reply)
    priming, data = next(stream)
    assert priming and data.strip() == "", "the stream begins with an event that has an id only"
    last, data = next(stream)
    assert last not in ("", None, priming) and json.loads(data)["method"] == "notifications/message"
    reply.close()

    headers = {"Accept": "text/event-stream", "mcp-session-id": wire.session, "mcp-protocol-version": case.revision}
    for begun, unseen in ((last, 1), (priming, 2)):
        again = wire.send("GET", headers={**headers, "last-event-id": begun})
        assert again.status == 200 and again.is_stream
        seen = [json.loads(data) for id, data in events(again) if data]
        assert len(seen) == unseen and seen[-1]["id"] == 1
        assert seen[-1]["result"]["content"][0]["text"] == "Reconnection test completed successfully"
        again.close()
    assert 200 <= wire.delete().status < 300
