"""A team's virtual server: names and arguments as product section 3 says, in the list and in the call."""

import json

import pytest
from harness.clients import Refused, Target, connect, list_tools
from harness.wire import Wire, request

pytestmark = [pytest.mark.gateway, pytest.mark.anyio, pytest.mark.quick]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    from harness.deadline import eventually
    from harness.gateway import Configuration, Gateway
    from harness.upstream import Upstream, running
    folder = tmp_path_factory.mktemp("shaping")
    one, two = Upstream(folder, "one", "current", "http"), Upstream(folder, "two", "legacy", "stdio")
    pull = {"as": "create_pr", "description": "Open a pull request against the web repository.", "arguments": {
        "repo": {"fixed": "acme/web"}, "draft": {"default": True}, "base": {"allow": ["main", "develop"]}, "token": {"hidden": True}}}
    servers = {
        "mixed": {"title": "Mixed", "instructions": "Search first.", "tools": ["two.add", "one.echo", "one.re*"]},
        "shaped-one": {"tools": [{"tool": "one.open_pull", **pull}]},
        "shaped-two": {"names": "plain", "tools": [{"tool": "two.open_pull", **pull}, "two.echo"]},
        "header": {"names": "plain", "tools": [{"tool": "one.query", "arguments": {"region": {"fixed": "eu-1"}}}]},
        "numbers": {"names": "plain", "tools": [{"tool": "one.add", "arguments": {"a": {"allow": [1, 10000000000000001]}}}]},
        "order": {"names": "plain", "tools": ["two.fail", "one.big", "two.add"]},
    }
    with running(one, two), Gateway(Configuration(folder, {"one": one.settings(), "two": two.settings()}, servers)) as gateway:
        eventually(lambda: all(state["state"] == "up" for state in gateway.ready()["upstreams"].values()), within=30)
        yield gateway, {"one": one, "two": two}


def at(shop, name):
    return Target.server(shop[0], name)


async def test_names_have_the_upstream_in_front(shop):
    async with connect("http-modern", at(shop, "mixed")) as session:
        assert session.instructions.splitlines()[0] == "Search first."
        names = {tool["name"] for tool in await list_tools(session)}
        assert names == {"two_add", "one_echo", "one_release", "one_remove_tool"}
        assert (await session.call("two_add", {"a": 1, "b": 1}))["structuredContent"] == {"sum": 2}
        assert (await session.call("one_echo", {"text": "x"}))["content"][0]["text"] == "x"


@pytest.mark.parametrize("name", ["one_fail", "fail", "one.echo", "echo", "add", "", "one_echo ", "ONE_ECHO", "two_echo"])
async def test_what_was_not_selected_does_not_exist(shop, name):
    for client in ("http-modern", "http-legacy"):
        async with connect(client, at(shop, "mixed")) as session:
            with pytest.raises(Refused) as other:
                await session.call("never_heard_of", {})
            with pytest.raises(Refused) as refused:
                await session.call(name, {})
            assert refused.value.code == other.value.code == -32602
            if name:
                assert refused.value.message == other.value.message.replace("never_heard_of", name)


@pytest.mark.parametrize("server, name", [("shaped-one", "create_pr"), ("shaped-two", "create_pr")])
async def test_the_listed_schema_shows_what_may_be_sent(shop, server, name):
    async with connect("http-modern", at(shop, server)) as session:
        shaped = next(tool for tool in await list_tools(session) if tool["name"] == name)
    assert shaped["description"] == "Open a pull request against the web repository."
    assert shaped["annotations"] == {"destructiveHint": True}
    assert shaped["outputSchema"]["required"] == ["received"]
    schema = shaped["inputSchema"]
    assert set(schema["properties"]) == {"base", "draft", "labels"}
    assert schema["required"] == ["base"]
    assert schema["properties"]["base"] == {
        "type": "string", "description": "The branch to merge into.", "x-order": 3, "enum": ["main", "develop"]}
    assert schema["properties"]["draft"]["type"] == "boolean"
    assert schema["properties"]["labels"] == {"type": "array", "items": {"$ref": "#/$defs/label"}, "maxItems": 5}
    assert schema["$defs"] == {"label": {"type": "string", "enum": ["bug", "feature"]}}
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("sent, received", [
    ({"base": "main"}, {"base": "main", "repo": "acme/web", "draft": True}),
    ({"base": "develop", "draft": False}, {"base": "develop", "repo": "acme/web", "draft": False}),
    ({"base": "main", "labels": ["bug"]}, {"base": "main", "repo": "acme/web", "draft": True, "labels": ["bug"]}),
])
@pytest.mark.parametrize("server", ["shaped-one", "shaped-two"])
async def test_fixed_and_default_values_are_sent(shop, server, sent, received):
    async with connect("http-legacy", at(shop, server)) as session:
        assert (await session.call("create_pr", sent))["structuredContent"]["received"] == received


@pytest.mark.parametrize("sent", [
    {"base": "master"}, {"base": "Main"}, {"base": ["main"]}, {"base": None}, {"base": {"main": 1}},
    {"base": "main", "repo": "evil/web"}, {"base": "main", "repo": "acme/web"}, {"base": "main", "token": "x"},
    {"base": "main", "token": None},
])
@pytest.mark.parametrize("client", ["http-modern", "http-legacy"])
async def test_what_the_schema_forbids_is_refused_and_never_reaches_the_upstream(shop, client, sent):
    gateway, upstreams = shop
    journal = upstreams["one"].journal
    before = len(journal.entries(event="call", tool="open_pull"))
    async with connect(client, at(shop, "shaped-one")) as session:
        try:
            result = await session.call("create_pr", sent)
        except Refused as refused:
            assert refused.code == -32602
        else:
            assert result.get("isError") is True
    assert len(journal.entries(event="call", tool="open_pull")) == before


async def test_a_fixed_argument_is_mirrored_into_the_upstreams_header(shop):
    async with connect("http-modern", at(shop, "header")) as session:
        tool, = await list_tools(session)
        assert "region" not in tool["inputSchema"]["properties"] and "required" not in tool["inputSchema"] or \
            tool["inputSchema"]["required"] == []
        result = await session.call("query", {"limit": 3, "sql": "select"})
    assert result["structuredContent"]["received"] == {"region": "eu-1", "limit": 3, "sql": "select"}
    assert result["structuredContent"]["headers"] == {"mcp-param-region": "eu-1", "mcp-param-limit": "3"}


async def test_the_order_of_a_list_does_not_change(shop):
    orders = set()
    for client in ("http-modern", "http-legacy", "old-http"):
        async with connect(client, at(shop, "order")) as session:
            orders.add(tuple(tool["name"] for tool in await list_tools(session)))
    assert len(orders) == 1 and set(orders.pop()) == {"fail", "big", "add"}


@pytest.mark.parametrize("number, accepted", [
    ("1", True), ("1.0", True), ("1e0", True), ("10000000000000001", True), ("10000000000000000", False), ("10000000000000002", False),
    ("1e16", False), ("1.00000000000000000001", False), ("true", False), ('"1"', False),
])
async def test_a_number_is_allowed_by_its_exact_value(shop, number, accepted):
    """Two of these are one number to whoever reads them as floating point."""
    gateway, upstreams = shop
    wire = Wire(gateway.url("numbers"), "2025-11-25")
    wire.initialize()
    calls = upstreams["one"].journal.entries
    before = len(calls(event="call", tool="add"))
    call = request("tools/call", {"name": "add", "arguments": {"a": "$", "b": 2}})
    reply = wire.post(call, body=json.dumps(call).replace('"$"', number).encode())
    if accepted:
        assert reply.result["structuredContent"] == {"sum": json.loads(number) + 2}
    else:
        assert reply.error["code"] == -32602 and len(calls(event="call", tool="add")) == before
