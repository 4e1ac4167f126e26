"""The official conformance scenarios for clients: their servers, as upstreams of the gateway. The auth/* ones are in test_upstream_sign_in.py."""

import base64
import json
import queue
import time

import pytest
from harness.deadline import PATIENCE
from harness.peer import Peer
from harness.schemas import MODERN

pytestmark = [pytest.mark.gateway]

LEGACY = "2025-11-25"
ERAS = [LEGACY, MODERN]
TEXT = {"content": [{"type": "text", "text": "done"}]}


def tool(name, properties=None, **more):
    return {"name": name, "inputSchema": {"type": "object", "properties": properties or {}, **more}}


def respond(handler, message, result, status=200):
    handler.answer(status, json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode())


def sent(raw, method):
    """The messages of that method with their headers, whose names are in lower case."""
    return [(json.loads(body), {name.lower(): value for name, value in headers.items()})
            for known, body, headers in raw.requests if known == method]


def call(gateway, revision, name, arguments=None, **peer):
    return Peer(gateway.url("team"), revision, **peer).finish("tools/call", {"name": name, "arguments": arguments or {}})[0]


# initialize, tools_call

@pytest.mark.parametrize("offered", ["2024-11-05", "2025-03-26", "2025-06-18", LEGACY])
def test_initialize_names_the_client_and_what_was_agreed_on_is_spoken(workshop, offered):
    def initialize(handler, message):
        respond(handler, message, {
            "protocolVersion": offered, "capabilities": {"tools": {}}, "serverInfo": {"name": "test-server", "version": "1.0.0"}})

    raw, gateway = workshop.serve_raw(tools=json.dumps([tool("t")]), result=json.dumps(TEXT), legacy=True, by_hand={"initialize": initialize})
    assert call(gateway, LEGACY, "t").result == TEXT
    opening, _ = sent(raw, "initialize")[0]
    assert opening["params"]["protocolVersion"] == LEGACY
    assert opening["params"]["clientInfo"]["name"] and opening["params"]["clientInfo"]["version"]
    methods = [method for method, _, _ in raw.requests]
    assert methods.index("initialize") < methods.index("notifications/initialized") < methods.index("tools/list")
    for method in ("notifications/initialized", "tools/list", "tools/call"):
        _, headers = sent(raw, method)[0]
        assert headers.get("mcp-protocol-version") in (offered, *([None] if offered < "2025-06-18" else [])), method


@pytest.mark.parametrize("client", ERAS)
@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "modern"])
def test_a_tool_is_called_with_the_numbers_that_were_given(workshop, legacy, client):
    number = {"type": "number"}
    raw, gateway = workshop.serve_raw(tools=json.dumps([tool("add_numbers", {"a": number, "b": number})]), legacy=legacy,
                                      result=json.dumps(TEXT if legacy else {**TEXT, "resultType": "complete"}))
    assert call(gateway, client, "add_numbers", {"a": 5, "b": 3}).result["content"] == TEXT["content"]
    assert sent(raw, "tools/call")[0][0]["params"]["arguments"] == {"a": 5, "b": 3}


# elicitation-sep1034-client-defaults

@pytest.mark.parametrize("client", ERAS)
def test_defaults_reach_whoever_is_asked_and_come_back(workshop, client):
    properties = {
        "name": {"type": "string", "default": "John Doe"}, "age": {"type": "integer", "default": 30}, "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive"], "default": "active"}, "verified": {"type": "boolean", "default": True}}
    defaults = {name: schema["default"] for name, schema in properties.items()}
    question = {"message": "Take the defaults", "requestedSchema": {"type": "object", "properties": properties, "required": []}}
    answers = queue.SimpleQueue()

    def ask(handler, message):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        request = {"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": question}
        handler.wfile.write(b"data: %s\n\n" % json.dumps(request).encode())
        done = {"content": [{"type": "text", "text": json.dumps(answers.get(timeout=PATIENCE)["result"]["content"])}]}
        handler.wfile.write(b"data: %s\n\n" % json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": done}).encode())
        handler.close_connection = True

    _, gateway = workshop.serve_raw(tools=json.dumps([tool("ask")]), legacy=True, by_hand={"tools/call": ask, "answer": answers.put})
    seen = []

    def accept(asked):
        seen.append(asked["params"]["requestedSchema"]["properties"])
        # The published schema knows only whole numbers here.
        return {"action": "accept", "content": {name: schema["default"] for name, schema in seen[-1].items()} | {"score": 88}}

    answer = call(gateway, client, "ask", answers={"elicitation/create": accept})
    assert seen == [properties] and json.loads(answer.result["content"][0]["text"]) == defaults | {"score": 88}


# sse-retry

@pytest.mark.parametrize("client", ERAS)
def test_a_stream_that_was_closed_is_taken_up_after_the_time_that_was_named(workshop, client):
    asked, times, ids = [], [], []

    def begin(handler, message):
        asked.append(message)
        handler.answer(200, b"id: event-1\nretry: 500\ndata: \n\n", "text/event-stream")
        times.append(time.monotonic())

    def take_up(handler, _):
        if (last := handler.headers["Last-Event-ID"]) is None:
            return handler.answer(405, b"", None)
        times.append(time.monotonic())
        ids.append(last)
        done = json.dumps({"jsonrpc": "2.0", "id": asked[0]["id"], "result": TEXT})
        handler.answer(200, f"id: event-2\nretry: 500\ndata: \n\nevent: message\nid: event-3\ndata: {done}\n\n".encode(), "text/event-stream")

    _, gateway = workshop.serve_raw(tools=json.dumps([tool("test_reconnection")]), legacy=True, by_hand={"tools/call": begin, "GET": take_up})
    assert call(gateway, client, "test_reconnection").result["content"] == TEXT["content"]
    assert ids == ["event-1"] and len(asked) == 1
    # The suite's tolerance: 50 ms before, 200 ms after, and more for a busy machine.
    assert 0.45 <= times[1] - times[0] < 3


# sep-2322-client-request-state

@pytest.mark.parametrize("client", ERAS)
def test_a_state_goes_back_as_it_was_with_its_own_retry_only(workshop, client):
    question = {"confirm": {"method": "elicitation/create", "params": {
        "mode": "form", "message": "Sure?", "requestedSchema": {"type": "object", "properties": {"confirmed": {"type": "boolean"}}}}}}
    states = {"echo_state": {"requestState": 'opaque "\u00e9" state=='}, "no_state": {}}
    tools = json.dumps([tool(name) for name in (*states, "unrelated", "no_result_type")])

    def answer(handler, message):
        params = message["params"]
        if params["name"] in states and "inputResponses" not in params:
            return respond(handler, message, {"resultType": "input_required", "inputRequests": question, **states[params["name"]]})
        respond(handler, message, TEXT if params["name"] == "no_result_type" else {**TEXT, "resultType": "complete"})

    raw, gateway = workshop.serve_raw(tools=tools, by_hand={"tools/call": answer})
    peer = Peer(gateway.url("team"), client, answers={"elicitation/create": {"action": "accept", "content": {"confirmed": True}}})
    if client == MODERN:
        first = peer.call("echo_state")
        peer.call("unrelated")
        last = peer.retry(first, "tools/call", {"name": "echo_state", "arguments": {}})
    else:
        peer.call("unrelated")
        last = peer.call("echo_state")
    assert last.result["content"] == TEXT["content"]
    assert peer.finish("tools/call", {"name": "no_state", "arguments": {}})[0].result["content"] == TEXT["content"]
    assert peer.call("no_result_type").result["content"] == TEXT["content"]

    calls = [message for message, _ in sent(raw, "tools/call")]
    by_name = {name: [call["params"] for call in calls if call["params"]["name"] == name] for name in (*states, "unrelated", "no_result_type")}
    answers = {"confirm": {"action": "accept", "content": {"confirmed": True}}}
    for name, state in states.items():
        first, retry = by_name[name]
        assert not {"inputResponses", "requestState"} & set(first) and retry["inputResponses"] == answers
        assert retry.get("requestState") == state.get("requestState") and ("requestState" in retry) == bool(state)
    unrelated, = by_name["unrelated"]
    assert not {"inputResponses", "requestState"} & set(unrelated)
    assert len(by_name["no_result_type"]) == 1, "no resultType means complete"
    ids = [message["id"] for message, _ in sent(raw, "tools/call")]
    assert len(set(ids)) == len(ids)


# http-standard-headers, request-metadata

@pytest.mark.parametrize("client", ERAS)
def test_every_request_has_its_metadata_and_the_headers_that_repeat_it(workshop, client):
    raw, gateway = workshop.serve_raw(tools=json.dumps([tool("test_headers"), tool("my-hyphenated-tool")]))
    for name in ("test_headers", "my-hyphenated-tool"):
        call(gateway, client, name)
    assert {"server/discover", "tools/list", "tools/call"} <= {method for method, _, _ in raw.requests}
    for method, body, received in list(raw.requests):
        headers, meta = {name.lower(): value for name, value in received.items()}, json.loads(body)["params"]["_meta"]
        prefix = "io.modelcontextprotocol/"
        assert headers["mcp-method"] == method
        assert headers["mcp-protocol-version"] == meta[prefix + "protocolVersion"] == MODERN
        assert meta[prefix + "clientInfo"]["name"] and meta[prefix + "clientInfo"]["version"]
        assert all(isinstance(value, dict) for value in meta[prefix + "clientCapabilities"].values())
        assert {"application/json", "text/event-stream"} <= {kind.strip() for kind in headers["accept"].split(",")}
    assert [(message["params"]["name"], headers["mcp-name"]) for message, headers in sent(raw, "tools/call")] == [
        ("test_headers", "test_headers"), ("my-hyphenated-tool", "my-hyphenated-tool")]
    assert all("mcp-name" not in headers for message, headers in sent(raw, "tools/list"))


# http-custom-headers, http-invalid-tool-headers

def encoded(text):
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


# value, and the header that a client sends for it
MIRRORED = {
    "Region": ("us-west1", "us-west1"), "Priority": (42, "42"), "Verbose": (False, "false"), "Debug": (True, "true"), "EmptyVal": ("", ""),
    "Method": ("test-method", "test-method"), "NonAscii": ("Hello, 世界", encoded("Hello, 世界")), "Whitespace": (" padded ", encoded(" padded ")),
    "LeadingSpace": (" us-west1", encoded(" us-west1")), "TrailingSpace": ("us-west1 ", encoded("us-west1 ")),
    "InternalSpace": ("us west 1", "us west 1"), "ControlChar": ("line1\nline2", encoded("line1\nline2")),
    "CrLf": ("line1\r\nline2", encoded("line1\r\nline2")), "Tab": ("\tindented", encoded("\tindented")),
    # Beyond the suite: what looks as if it were encoded.
    "Sentinel": ("=?base64?eA==?=", encoded("=?base64?eA==?=")),
}
KINDS = {str: "string", bool: "boolean", int: "integer"}


def test_marked_parameters_of_a_legacy_client_are_repeated_in_headers(workshop):
    properties = {name.lower(): {"type": KINDS[type(value)], "x-mcp-header": name} for name, (value, _) in MIRRORED.items()}
    properties |= {"floatval": {"type": "number"}, "query": {"type": "string"}}
    raw, gateway = workshop.serve_raw(tools=json.dumps([tool("test_custom_headers", properties)]))
    arguments = {name.lower(): value for name, (value, _) in MIRRORED.items()} | {"floatval": 3.14159, "query": "SELECT * FROM users"}
    assert "result" in call(gateway, LEGACY, "test_custom_headers", arguments).message
    message, headers = sent(raw, "tools/call")[0]
    assert message["params"]["arguments"] == arguments
    mirrored = {name.removeprefix("mcp-param-"): value for name, value in headers.items() if name.startswith("mcp-param-")}
    assert mirrored == {name.lower(): value for name, (_, value) in MIRRORED.items()}
    assert headers["mcp-method"] == "tools/call"


def test_marked_parameters_that_are_null_or_missing_have_no_header(workshop):
    kinds = {"Region": "string", "Priority": "integer", "Verbose": "boolean"}
    properties = {name.lower(): {"type": kind, "x-mcp-header": name} for name, kind in kinds.items()}
    raw, gateway = workshop.serve_raw(tools=json.dumps([tool("test_custom_headers_null", properties)]))
    assert "result" in call(gateway, LEGACY, "test_custom_headers_null", {"region": "us-east1", "verbose": None, "query": "SELECT 1"}).message
    _, headers = sent(raw, "tools/call")[0]
    assert {name: value for name, value in headers.items() if name.startswith("mcp-param-")} == {"mcp-param-region": "us-east1"}


INVALID = {
    "empty_header": {"value": {"type": "string", "x-mcp-header": ""}},
    "object_header": {"data": {"type": "object", "x-mcp-header": "Data"}},
    "array_header": {"items": {"type": "array", "items": {"type": "string"}, "x-mcp-header": "Items"}},
    "null_header": {"nil": {"type": "null", "x-mcp-header": "Nil"}},
    "duplicate_same_case": {"field1": {"type": "string", "x-mcp-header": "Region"}, "field2": {"type": "string", "x-mcp-header": "Region"}},
    "duplicate_diff_case": {"field1": {"type": "string", "x-mcp-header": "MyField"}, "field2": {"type": "string", "x-mcp-header": "myfield"}},
    "space_in_name": {"value": {"type": "string", "x-mcp-header": "My Region"}},
    "colon_in_name": {"value": {"type": "string", "x-mcp-header": "Region:Primary"}},
    "non_ascii_name": {"value": {"type": "string", "x-mcp-header": "Région"}},
    "control_char_name": {"value": {"type": "string", "x-mcp-header": "Region\t1"}},
}


@pytest.mark.parametrize("client", ERAS)
def test_a_tool_with_a_wrong_mark_is_left_out_and_the_others_stay(workshop, client):
    tools = [tool("valid_tool", {"region": {"type": "string", "x-mcp-header": "Region"}}), *(tool(name, marked) for name, marked in INVALID.items())]
    raw, gateway = workshop.serve_raw(tools=json.dumps(tools))
    peer = Peer(gateway.url("team"), client)
    assert [tool["name"] for tool in peer.ask("tools/list").result["tools"]] == ["valid_tool"]
    for name in INVALID:
        assert peer.call(name).error["code"] == -32602
    assert raw.count("tools/call") == 0


# json-schema-ref-no-deref, json-schema-2020-12-preservation

@pytest.mark.parametrize("client", ERAS)
@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "modern"])
def test_a_schema_is_listed_as_it_is_and_its_references_are_not_fetched(workshop, legacy, client):
    canary = workshop.raw()
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/schemas/tool", "type": "object",
        "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
        "properties": {
            "user": {"$ref": f"{canary.url}/canary.json"}, "address": {"$ref": "#/$defs/address"}, "name": {"type": "string"},
            "tags": {"type": "array", "prefixItems": [{"type": "string"}], "items": False, "contains": {"const": "x"}, "minContains": 0}},
        "allOf": [{"anyOf": [{"required": ["name"]}, {"required": ["user"]}]}], "oneOf": [{}], "not": {"required": ["never"]},
        "if": {"properties": {"name": {"const": "x"}}}, "then": {"required": ["address"]}, "else": {}, "dependentRequired": {"address": ["name"]},
        "patternProperties": {"^x-": {"type": "string"}}, "propertyNames": {"maxLength": 50}, "unevaluatedProperties": False,
        "additionalProperties": False}
    _, gateway = workshop.serve_raw(tools=json.dumps([{"name": "lookup_user", "inputSchema": schema}]), legacy=legacy, result=json.dumps(
        TEXT if legacy else {**TEXT, "resultType": "complete"}))
    peer = Peer(gateway.url("team"), client)
    listed, = peer.ask("tools/list").result["tools"]
    assert listed["inputSchema"] == schema
    assert peer.call("lookup_user", {"name": "x"}).result["content"] == TEXT["content"]
    assert canary.requests == []


# request-metadata

def refuses_once(supported):
    refused = []

    def discover(handler, message):
        if not refused:
            refused.append(True)
            error = {"code": -32022, "message": "Unsupported protocol version", "data": {"supported": supported, "requested": MODERN}}
            handler.answer(400, json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}).encode())
            return
        respond(handler, message, {
            "resultType": "complete", "supportedVersions": [MODERN], "capabilities": {"tools": {}}, "ttlMs": 0, "cacheScope": "private"})

    return discover


@pytest.mark.parametrize("client", ERAS)
def test_an_upstream_that_refuses_our_revision_but_names_it_is_asked_once_more(workshop, client):
    result = {"resultType": "complete", **TEXT}
    raw, gateway = workshop.serve_raw(
        tools=json.dumps([tool("t")]), result=json.dumps(result), by_hand={"server/discover": refuses_once(["2099-01-01", MODERN])})
    assert call(gateway, client, "t").result["content"] == TEXT["content"]
    assert len(sent(raw, "server/discover")) == 2 and not sent(raw, "initialize")
