"""Scenario server-stateless, in its seven parts."""

from harness.schemas import MODERN
from harness.wire import META, Wire, meta, request

from .registry import scenario


def refused(reply, status, code, id):
    assert (reply.status, reply.error["code"], reply.answer()["id"]) == (status, code, id)
    return reply.error


def without(name):
    return {"_meta": {key: value for key, value in meta().items() if key != META + name}}


@scenario("server-stateless", [MODERN], needs="prompts_and_resources")
def stateless(case):
    wire = Wire(case.url)
    metadata(wire)
    capabilities, tools = discovery(wire)
    versions(wire)
    undeclared_capabilities(case, wire, tools)
    methods(wire)
    streams(case, wire, tools)
    subscriptions(wire, capabilities)


def metadata(wire):
    refused(wire.post(request("server/discover", {}, 101)), 400, -32602, 101)
    refused(wire.post(request("server/discover", without("protocolVersion"), 102)), 400, -32602, 102)
    refused(wire.post(request("server/discover", without("clientCapabilities"), 104)), 400, -32602, 104)
    anonymous = wire.post(request("server/discover", without("clientInfo"), 105))
    assert anonymous.status == 200 and anonymous.result


def discovery(wire):
    result = wire.call("server/discover", id=201).result
    assert result["supportedVersions"] and isinstance(result["capabilities"], dict)
    assert result["_meta"][META + "serverInfo"]["name"] and result["_meta"][META + "serverInfo"]["version"]
    for kind in ("tools", "prompts", "resources"):
        message = wire.call(f"{kind}/list", id=203).answer()
        if result["capabilities"].get(kind) is not None:
            assert isinstance(message["result"][kind], list)
        else:
            assert message["error"]["code"] == -32601
    assert {"tools", "prompts", "resources", "completions"} <= set(result["capabilities"])
    return result["capabilities"], [tool["name"] for tool in wire.call("tools/list", id=202).result["tools"]]


def versions(wire):
    known = wire.call("server/discover").result["supportedVersions"]
    unknown = {"_meta": meta("v999.0.0")}
    error = refused(wire.post(request("server/discover", unknown, 301), {"MCP-Protocol-Version": "v999.0.0"}), 400, -32022, 301)
    assert error["data"]["supported"] and set(error["data"]["supported"]) <= set(known)
    assert error["data"]["requested"] == "v999.0.0"
    refused(wire.post(request("server/discover", unknown, 302), {"MCP-Protocol-Version": MODERN}), 400, -32020, 302)


def undeclared_capabilities(case, wire, tools):
    assert "test_missing_capability" in tools
    reply = wire.call("tools/call", {"name": "test_missing_capability", "arguments": {}}, id=401)
    if case.same:
        required = refused(reply, 400, -32021, 401)["data"]["requiredCapabilities"]
        assert isinstance(required["sampling"], dict)
    else:
        # A legacy server knows no such error: it is told what the client can do, and falls back on what it likes.
        assert reply.result["isError"] is True and "sampling" in reply.result["content"][0]["text"]


def methods(wire):
    for method in ("initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "unknown/method"):
        refused(wire.call(method, id=500), 404, -32601, 500)


def streams(case, wire, tools):
    assert {"test_streaming_elicitation", "test_logging_tool"} <= set(tools)
    reply = wire.call("tools/call", {"name": "test_streaming_elicitation", "arguments": {}}, capabilities={"elicitation": {}})
    answer = reply.answer()
    assert not [m for m in reply.messages if "method" in m and "id" in m], "no requests of the server's own"
    assert answer["result"]["resultType"] == "input_required"

    reply = wire.call("tools/call", {"name": "test_logging_tool", "arguments": {}})
    assert reply.result["content"]
    assert not [m for m in reply.messages if m.get("method") == "notifications/message"]


def subscriptions(wire, capabilities):
    for kind, other in (("tools", "prompts"), ("prompts", "tools"), ("resources", "tools")):
        assert capabilities[kind]["listChanged"] is True
        id = f"listen-{kind}"
        with wire.call("subscriptions/listen", {"notifications": {f"{kind}ListChanged": True}}, id=id) as stream:
            first = stream.next()
            assert first["method"] == "notifications/subscriptions/acknowledged"
            assert first["params"]["notifications"] == {f"{kind}ListChanged": True}
            # The other list changes first: of that, this stream must not hear.
            for changing in (other, kind):
                name = f"test_trigger_{changing.removesuffix('s')}_change"
                assert wire.call("tools/call", {"name": name, "arguments": {}}, id="trigger").result
            changed = stream.next()
            assert changed["method"] == f"notifications/{kind}/list_changed"
            assert all(m["params"]["_meta"][META + "subscriptionId"] == id for m in (first, changed))
