"""Revision 2026-07-28 by hand: what the official scenarios server-stateless, http-header-validation,
http-custom-header-server-validation and caching ask, and what the specification says beyond them."""

import base64

import pytest
from harness.schemas import LEGACY, MODERN
from harness.wire import META, Wire, meta, request, standard_headers

pytestmark = pytest.mark.quick


@pytest.fixture
def wire(world):
    return Wire(world.url("checks"))


def without(key):
    return {name: value for name, value in meta().items() if name != META + key}


# server-stateless: metadata of each request

@pytest.mark.parametrize("params", [
    pytest.param({}, id="no _meta"),
    pytest.param({"_meta": without("protocolVersion")}, id="no protocolVersion"),
    pytest.param({"_meta": without("clientCapabilities")}, id="no clientCapabilities"),
])
def test_a_request_without_its_metadata_is_refused(wire, params):
    reply = wire.post(request("server/discover", params, id=101))
    assert reply.error["code"] == -32602
    assert reply.status == 400
    assert reply.answer()["id"] == 101


def test_client_info_may_be_left_out(wire):
    reply = wire.post(request("server/discover", {"_meta": without("clientInfo")}))
    assert reply.status == 200 and "supportedVersions" in reply.result


# server-stateless: discovery and capabilities

def test_discover_names_the_revisions_the_capabilities_and_the_server(wire):
    reply = wire.call("server/discover")
    result = reply.result
    assert reply.status == 200
    assert MODERN in result["supportedVersions"]
    assert result["capabilities"]["tools"]["listChanged"] is True
    info = result["_meta"][META + "serverInfo"]
    assert info["name"] and info["version"]


@pytest.mark.gateway
def test_what_is_not_served_is_neither_advertised_nor_answered(world):
    wire = Wire(world.url_of("prefixed"))
    assert not {"prompts", "resources", "completions"} & set(wire.call("server/discover").result["capabilities"])
    prompt, resource = {"name": "plain"}, {"uri": "test://static-text"}
    for method, params in (
            ("prompts/list", {}), ("prompts/get", prompt), ("resources/list", {}), ("resources/templates/list", {}), ("resources/read", resource),
            ("completion/complete", {"ref": {"type": "ref/prompt", **prompt}, "argument": {"name": "who", "value": "A"}})):
        reply = wire.call(method, params)
        assert (reply.status, reply.error["code"]) == (404, -32601), method


@pytest.mark.parametrize("method, member", [
    ("tools/list", "tools"), ("prompts/list", "prompts"), ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
])
def test_an_advertised_list_is_served_with_caching_hints(wire, method, member):
    result = wire.call(method).result
    assert isinstance(result[member], list) and result[member]
    assert isinstance(result["ttlMs"], int) and result["ttlMs"] >= 0
    assert result["cacheScope"] in ("public", "private")
    assert result["resultType"] == "complete"


def test_a_resource_is_read_with_caching_hints(wire):
    result = wire.call("resources/read", {"uri": "test://static-text"}).result
    assert result["contents"][0]["text"] == "static text"
    assert isinstance(result["ttlMs"], int) and result["cacheScope"] in ("public", "private")


def test_discover_has_caching_hints(wire):
    result = wire.call("server/discover").result
    assert isinstance(result["ttlMs"], int) and result["cacheScope"] in ("public", "private")


# server-stateless: versions

def test_an_unknown_revision_is_refused_with_the_known_ones(wire):
    known = wire.call("server/discover").result["supportedVersions"]
    params = {"_meta": meta("v999.0.0")}
    reply = wire.post(request("server/discover", params, id=301), {"MCP-Protocol-Version": "v999.0.0"})
    assert reply.status == 400
    assert reply.error["code"] == -32022
    assert reply.error["data"]["requested"] == "v999.0.0"
    assert reply.error["data"]["supported"] and set(reply.error["data"]["supported"]) <= set(known)
    assert reply.answer()["id"] == 301


@pytest.mark.parametrize("header, body", [(MODERN, "v999.0.0"), ("v999.0.0", MODERN), ("2025-11-25", MODERN), (None, MODERN)])
def test_a_version_header_that_differs_from_the_body_is_refused(wire, header, body):
    reply = wire.post(request("server/discover", {"_meta": meta(body)}, id=302), {"MCP-Protocol-Version": header})
    assert reply.status == 400
    # Where the header says "legacy", or says nothing, the request may also be judged as a legacy one.
    expected = {MODERN: {-32020}, "v999.0.0": {-32020, -32022}}.get(header, {-32020, -32600, -32602})
    assert reply.error["code"] in expected


# server-stateless: client capabilities

def test_a_call_that_needs_an_undeclared_capability_says_which(wire):
    reply = wire.call("tools/call", {"name": "test_missing_capability", "arguments": {}}, id=401)
    assert reply.status == 400
    assert reply.error["code"] == -32021
    assert isinstance(reply.error["data"]["requiredCapabilities"]["sampling"], dict)
    assert reply.answer()["id"] == 401


def test_a_declared_capability_reaches_the_upstream(wire):
    reply = wire.call("tools/call", {"name": "test_missing_capability", "arguments": {}}, capabilities={"sampling": {}})
    assert reply.result["content"][0]["text"] == "sampling is offered"


# server-stateless: methods

@pytest.mark.parametrize("method", [
    "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "unknown/method", "tools/List",
])
def test_a_method_that_does_not_exist_is_not_found(wire, method):
    reply = wire.call(method, id=500)
    assert (reply.status, reply.error["code"], reply.answer()["id"]) == (404, -32601, 500)


@pytest.mark.parametrize("id", [0, 7, -1, "", "text", "ünï", 9007199254740991])
def test_the_id_comes_back_as_it_was(wire, id):
    assert wire.call("server/discover", id=id).answer()["id"] == id
    assert wire.call("unknown/method", id=id).answer()["id"] == id


def test_a_question_of_the_upstream_is_a_result_and_never_a_request(wire):
    params = {"name": "test_streaming_elicitation", "arguments": {}}
    reply = wire.call("tools/call", params, capabilities={"elicitation": {}})
    result = reply.result
    assert result["resultType"] == "input_required"
    (key, question), = result["inputRequests"].items()
    assert question["method"] == "elicitation/create"

    params |= {"inputResponses": {key: {"action": "accept", "content": {"name": "Ada"}}}, "requestState": result["requestState"]}
    answer = wire.call("tools/call", params, id=2, capabilities={"elicitation": {}}).result
    assert answer["resultType"] == "complete" and "Ada" in answer["content"][0]["text"]


def test_no_log_message_comes_unasked(wire):
    reply = wire.call("tools/call", {"name": "test_logging_tool", "arguments": {}})
    assert reply.result["content"]
    assert not [m for m in reply.notifications if m["method"] == "notifications/message"]


def test_log_messages_come_when_asked_for(wire):
    reply = wire.call("tools/call", {"name": "test_logging_tool", "arguments": {}}, **{META + "logLevel": "info"})
    assert reply.result["content"]
    said = [m["params"]["data"] for m in reply.notifications if m["method"] == "notifications/message"]
    assert said == ["Tool execution started", "Tool processing data", "Tool execution completed"]


def test_progress_carries_the_clients_token(wire):
    reply = wire.call("tools/call", {"name": "test_tool_with_progress", "arguments": {}}, progressToken="täken-1")
    assert reply.is_stream and reply.result["content"]
    steps = [m["params"] for m in reply.notifications if m["method"] == "notifications/progress"]
    assert [s["progress"] for s in steps] == [0, 50, 100]
    assert {s["progressToken"] for s in steps} == {"täken-1"}


@pytest.mark.parametrize("name, kinds", [
    ("test_simple_text", ["text"]), ("test_image_content", ["image"]), ("test_audio_content", ["audio"]),
    ("test_embedded_resource", ["resource"]), ("test_multiple_content_types", ["text", "image", "resource"]),
])
def test_content_of_every_kind_passes(wire, name, kinds):
    result = wire.call("tools/call", {"name": name, "arguments": {}}).result
    assert [part["type"] for part in result["content"]] == kinds


def test_an_error_of_a_tool_is_a_result(wire):
    result = wire.call("tools/call", {"name": "test_error_handling", "arguments": {}}).result
    assert result["isError"] is True


# server-stateless: subscriptions

def listen(wire, id="sub-1", **wanted):
    return wire.call("subscriptions/listen", {"notifications": wanted}, id=id)


def change_tools(wire):
    assert wire.call("tools/call", {"name": "test_trigger_tool_change", "arguments": {}}, id="trigger").result


def change_prompts(wire):
    assert wire.call("tools/call", {"name": "test_trigger_prompt_change", "arguments": {}}, id="trigger").result


def test_a_subscription_is_acknowledged_first_and_every_message_names_it(wire):
    with listen(wire, toolsListChanged=True) as stream:
        first = stream.next()
        assert first["method"] == "notifications/subscriptions/acknowledged"
        assert first["params"]["notifications"] == {"toolsListChanged": True}
        change_tools(wire)
        changed = stream.until(lambda m: m.get("method") == "notifications/tools/list_changed")
        for message in (first, changed):
            assert message["params"]["_meta"][META + "subscriptionId"] == "sub-1"


def test_a_subscription_to_prompts_hears_of_prompts(wire):
    with listen(wire, id=12, promptsListChanged=True) as stream:
        assert stream.next()["method"] == "notifications/subscriptions/acknowledged"
        change_prompts(wire)
        changed = stream.until(lambda m: m.get("method") == "notifications/prompts/list_changed")
        assert changed["params"]["_meta"][META + "subscriptionId"] == 12


@pytest.mark.gateway
def test_a_subscription_is_told_what_it_will_not_hear_of(world):
    wire = Wire(world.url_of("prefixed"))
    with listen(wire, toolsListChanged=True, promptsListChanged=True, resourceSubscriptions=["test://static-text"]) as stream:
        assert stream.next()["params"]["notifications"] == {"toolsListChanged": True}


def test_a_subscription_hears_only_what_it_asked_for(wire):
    with listen(wire, promptsListChanged=True) as stream:
        assert stream.next()["method"] == "notifications/subscriptions/acknowledged"
        change_tools(wire)
        change_prompts(wire)
        # What comes first is what was asked for, although the tools changed before.
        assert stream.next()["method"] == "notifications/prompts/list_changed"


def test_a_stream_tells_proxies_not_to_buffer(wire):
    with listen(wire, toolsListChanged=True) as stream:
        assert stream.headers.get("x-accel-buffering") == "no"
        assert stream.headers.get("cache-control", "").startswith("no-")


# http-header-validation

def tools_list(id=1):
    return request("tools/list", {"_meta": meta()}, id)


def tools_call(name, id=1, arguments=None):
    return request("tools/call", {"name": name, "arguments": arguments or {}, "_meta": meta()}, id)


@pytest.mark.parametrize("value", ["prompts/list", None, "TOOLS/LIST", "tools/list, tools/list", ""])
def test_a_method_header_that_differs_from_the_body_is_refused(wire, value):
    reply = wire.post(tools_list(), {"Mcp-Method": value})
    assert (reply.status, reply.error["code"]) == (400, -32020)


@pytest.mark.parametrize("value", ["wrong_tool_name", None, "Test_simple_text", "=?base64?dGVzdF9zaW1wbGVfdGV4d?=", ""])
def test_a_name_header_that_differs_from_the_body_is_refused(wire, value):
    reply = wire.post(tools_call("test_simple_text"), {"Mcp-Name": value})
    assert (reply.status, reply.error["code"]) == (400, -32020)


@pytest.mark.parametrize("value", ["  test_simple_text  ", "\ttest_simple_text", "=?base64?dGVzdF9zaW1wbGVfdGV4dA==?="])
def test_a_name_header_is_trimmed_and_decoded(wire, value):
    reply = wire.post(tools_call("test_simple_text"), {"Mcp-Name": value})
    assert reply.status == 200 and reply.result["content"]


@pytest.mark.parametrize("name", ["mcp-method", "MCP-METHOD", "mCp-mEtHoD"])
def test_header_names_have_no_case(wire, name):
    reply = wire.post(tools_list(), {"Mcp-Method": None, name: "tools/list"})
    assert reply.status == 200 and reply.result["tools"]


def test_two_headers_of_one_name_are_refused(wire):
    message = tools_list()
    reply = wire.send(body=message, answers="tools/list", headers=[
        ("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"), ("MCP-Protocol-Version", MODERN),
        ("Mcp-Method", "tools/list"), ("Mcp-Method", "tools/call")])
    assert reply.status == 400


@pytest.mark.parametrize("uri, value", [("test://static-text", "test://other"), ("test://static-text", None)])
def test_the_name_header_of_a_resource_is_its_uri(wire, uri, value):
    reply = wire.post(request("resources/read", {"uri": uri, "_meta": meta()}), {"Mcp-Name": value})
    assert (reply.status, reply.error["code"]) == (400, -32020)


def test_the_name_header_of_a_prompt_is_its_name(wire):
    assert wire.call("prompts/get", {"name": "plain"}).result["messages"]
    reply = wire.post(request("prompts/get", {"name": "plain", "_meta": meta()}), {"Mcp-Name": "greet"})
    assert (reply.status, reply.error["code"]) == (400, -32020)


# http-custom-header-server-validation

def region(wire, value, header):
    listed = wire.call("tools/list").result["tools"]
    assert "test_x_mcp_header" in [tool["name"] for tool in listed]
    headers = {} if header is None else {"Mcp-Param-Region": header}
    return wire.post(tools_call("test_x_mcp_header", arguments={"region": value}), headers)


HELLO = base64.b64encode(b"Hello").decode()


@pytest.mark.parametrize("value, header", [
    ("Hello", "Hello"),
    ("Hello", f"=?base64?{HELLO}?="),
    (HELLO, HELLO),
    (f"=?base64?{HELLO}", f"=?base64?{HELLO}"),
    ("Grüße", "=?base64?R3LDvMOfZQ==?="),
    (" padded ", "=?base64?IHBhZGRlZCA=?="),
])
def test_a_parameter_header_that_says_what_the_body_says_is_accepted(wire, value, header):
    reply = region(wire, value, header)
    assert reply.status == 200 and reply.result["content"]


@pytest.mark.parametrize("value, header", [
    ("Hello", "=?base64?SGVsbG8?="),
    ("Hello", "=?base64?SGVs!!!bG8=?="),
    ("Hello", "World"),
    ("Hello", f"=?base64?{base64.b64encode(b'World').decode()}?="),
    ("test-value", None),
])
def test_a_parameter_header_that_says_something_else_is_refused(wire, value, header):
    reply = region(wire, value, header)
    assert (reply.status, reply.error["code"]) == (400, -32020)


@pytest.mark.gateway
@pytest.mark.parametrize("values", [("Hello", "World"), ("World", "Hello"), ("Hello", "Hello"), ("Hello", "")])
def test_a_parameter_header_that_stands_twice_is_refused(wire, values):
    """Two readers could take different ones."""
    wire.call("tools/list")
    message = tools_call("test_x_mcp_header", arguments={"region": "Hello"})
    headers = {"Content-Type": "application/json", "Accept": "application/json", **standard_headers(message)}
    pairs = [*headers.items(), ("Mcp-Param-Region", values[0]), ("mcp-param-region", values[1])]
    reply = wire.send(body=message, answers="tools/call", headers=pairs)
    assert (reply.status, reply.error["code"]) == (400, -32020) and "twice" in reply.error["message"]


def test_a_parameter_that_is_missing_or_null_needs_no_header(world):
    wire = Wire(world.url("modern"))
    wire.call("tools/list")
    reply = wire.post(tools_call("query", arguments={"region": "eu", "limit": None}), {"Mcp-Param-Region": "eu"})
    assert reply.status == 200
    assert reply.result["structuredContent"]["received"]["region"] == "eu"


@pytest.mark.parametrize("header, accepted", [("42", True), ("42.0", True), ("43", False), ("forty-two", False)])
def test_numbers_in_parameter_headers_are_compared_as_numbers(world, header, accepted):
    wire = Wire(world.url("modern"))
    wire.call("tools/list")
    reply = wire.post(tools_call("query", arguments={"region": "eu", "limit": 42}), {"Mcp-Param-Region": "eu", "Mcp-Param-Limit": header})
    assert reply.status == (200 if accepted else 400)


def test_an_unknown_parameter_header_is_ignored(wire):
    reply = wire.post(tools_call("test_simple_text"), {"Mcp-Param-Whatever": "x"})
    assert reply.status == 200


# The transport

def test_a_notification_is_accepted_without_a_body(wire):
    reply = wire.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1, "_meta": meta()}})
    assert reply.status in (202, 400) and (reply.status != 202 or reply.body == b"")


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'{"jsonrpc":"2.0","id":1,"method":"tools/list"} x', b"\xff\xfe{}"])
def test_what_is_not_json_is_refused(wire, body):
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
               "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"}
    reply = wire.send(body=body, headers=headers)
    assert reply.status == 400
    if reply.messages:
        assert reply.messages[0]["error"]["code"] in (-32700, -32600)


@pytest.mark.parametrize("body", [[], 1, "x", None, {"jsonrpc": "1.0", "id": 1, "method": "tools/list"}, {"jsonrpc": "2.0", "id": 1},
                                  {"jsonrpc": "2.0", "id": 1, "method": 5}, {"jsonrpc": "2.0", "id": {}, "method": "tools/list"},
                                  {"jsonrpc": "2.0", "id": None, "method": "tools/list"}])
def test_what_is_not_a_request_is_refused(wire, body):
    import json
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
               "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"}
    reply = wire.send(body=json.dumps(body).encode(), headers=headers)
    assert 400 <= reply.status < 500


@pytest.mark.gateway
@pytest.mark.parametrize("session", ["anything", ""])
def test_a_session_id_is_ignored_and_none_is_given(wire, session):
    reply = wire.post(tools_list(), {"Mcp-Session-Id": session})
    assert reply.status == 200 and "mcp-session-id" not in reply.headers


def test_the_supported_revisions_are_those_that_discover_names(wire):
    known = wire.call("server/discover").result["supportedVersions"]
    assert set(known) <= {*LEGACY, MODERN}
