"""What differs between the eras, with an upstream of which every byte is the test's own."""

import json
import queue
import threading

import pytest
from harness.deadline import PATIENCE, eventually
from harness.schemas import LEGACY, MODERN
from harness.wire import META, Wire

pytestmark = pytest.mark.gateway

TOOL = {"name": "t", "inputSchema": {"type": "object"}}
TOOLS = json.dumps([TOOL])
CALL = {"name": "t", "arguments": {}}


def opened(gateway, revision):
    wire = Wire(gateway.url("team"), revision)
    if revision != MODERN:
        wire.initialize()
    return wire


def answer(message, result):
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()


# Older forms for older clients

SCHEMAS = {
    "object": {"type": "object", "properties": {"a": {"type": "array"}}},
    "array": {"type": "array", "items": {"type": "number"}},
    "string": {"type": "string"},
    "either": {"type": ["object", "null"]},
    "anything": {},
}


@pytest.mark.quick
def test_an_output_schema_that_is_no_objects_is_listed_for_modern_clients_only(workshop):
    listed = [{**TOOL, "name": name, "outputSchema": schema, "x": 1} for name, schema in SCHEMAS.items()]
    _, gateway = workshop.serve_raw(tools=json.dumps(listed))
    for revision in (*LEGACY[1:], MODERN):
        tools = opened(gateway, revision).call("tools/list").result["tools"]
        for tool, original in zip(tools, listed, strict=True):
            if revision != MODERN and tool["name"] != "object":
                original = {key: value for key, value in original.items() if key != "outputSchema"}
            assert tool == original, revision


@pytest.mark.quick
def test_structured_content_that_is_no_object_goes_to_modern_clients_only(workshop):
    raw, gateway = workshop.serve_raw(tools=TOOLS)
    for revision in (*LEGACY[1:], MODERN):
        wire = opened(gateway, revision)
        for value in ({"a": [1]}, [1, {"a": 2}], "text", 5, None):
            result = {"content": [{"type": "text", "text": "all of it"}], "structuredContent": value, "resultType": "complete", "ttlMs": 5}
            raw.result = json.dumps(result)
            got = wire.call("tools/call", CALL).result
            assert got["content"] == result["content"]
            if revision == MODERN:
                assert got["structuredContent"] == value and got["resultType"] == "complete"
            else:
                assert ("structuredContent" in got) == isinstance(value, dict) and not {"resultType", "ttlMs"} & set(got)


@pytest.mark.quick
@pytest.mark.parametrize("legacy", [False, True], ids=["modern upstream", "legacy upstream"])
def test_a_virtual_server_introduces_itself_in_either_era(workshop, legacy):
    """Not as the gateway and not as the upstream: a client shows this name to its user."""
    _, gateway = workshop.serve_raw(tools=TOOLS, legacy=legacy)
    version = None
    for revision in (*LEGACY, MODERN):
        wire = Wire(gateway.url("team"), revision)
        if revision == MODERN:
            replies = [wire.call("server/discover"), wire.call("tools/list"), wire.call("tools/call", CALL)]
            infos = [reply.result["_meta"][META + "serverInfo"] for reply in replies]
        else:
            infos = [wire.initialize()["serverInfo"]]
        for info in infos:
            version = version or info["version"]
            assert info == {"name": "team", "title": "The team", "version": version}


# Questions in mid-call

QUESTIONS = {
    "who": {"method": "elicitation/create", "params": {"mode": "form", "message": "?", "requestedSchema": {"type": "object", "properties": {}}}},
    "model": {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}},
}


@pytest.mark.quick
@pytest.mark.parametrize("declared, missing", [
    ({}, {"elicitation", "sampling"}), ({"elicitation": {}}, {"sampling"}), ({"sampling": {}, "roots": {}}, {"elicitation"}),
    ({"elicitation": {}, "sampling": {}}, set()),
], ids=["none", "one", "another", "all"])
def test_a_client_is_asked_only_what_it_can_answer(workshop, declared, missing):
    result = {"resultType": "input_required", "requestState": "s", "inputRequests": QUESTIONS}
    raw, gateway = workshop.serve_raw(tools=TOOLS, result=json.dumps(result))
    reply = Wire(gateway.url("team")).call("tools/call", CALL, capabilities=declared)
    if missing:
        assert (reply.status, reply.error["code"]) == (400, -32021)
        assert reply.error["data"] == {"requiredCapabilities": {name: {"form": {}} if name == "elicitation" else {} for name in missing}}
    else:
        who = {**QUESTIONS["who"], "params": {**QUESTIONS["who"]["params"], "message": "raw: ?"}}
        model = {**QUESTIONS["model"], "params": {**QUESTIONS["model"]["params"], "_meta": {"switchboard/upstream": "raw"}}}
        assert reply.status == 200 and reply.result["inputRequests"] == {**QUESTIONS, "who": who, "model": model}
    sent = json.loads(raw.calls()[-1][0])["params"]["_meta"]
    assert sent[META + "clientCapabilities"] == declared, "the upstream hears what the client can do, and no more"


@pytest.mark.parametrize("declared, question, missing", [
    ({"elicitation": {}}, {"method": "elicitation/create", "params": {"mode": "url", "message": "?", "url": "https://e.test"}}, {"elicitation": {"url": {}}}),
    ({"elicitation": {"url": {}}}, QUESTIONS["who"], {"elicitation": {"form": {}}}),
    ({"sampling": {}}, {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1, "tools": []}}, {"sampling": {"tools": {}}}),
], ids=["a form is no address", "an address is no form", "a model without tools"])
def test_the_kind_of_question_counts_too(workshop, declared, question, missing):
    result = {"resultType": "input_required", "requestState": "s", "inputRequests": {"q": question}}
    _, gateway = workshop.serve_raw(tools=TOOLS, result=json.dumps(result))
    error = Wire(gateway.url("team")).call("tools/call", CALL, capabilities=declared).error
    assert (error["code"], error["data"]) == (-32021, {"requiredCapabilities": missing})


def test_a_legacy_client_is_told_that_it_cannot_be_asked(workshop):
    result = {"resultType": "input_required", "requestState": "s", "inputRequests": QUESTIONS}
    _, gateway = workshop.serve_raw(tools=TOOLS, result=json.dumps(result))
    error = opened(gateway, "2025-11-25").call("tools/call", CALL).error
    assert error["code"] == -32603 and "raw" in error["message"] and "can't answer" in error["message"]


# Finding out the era

def respond_with(status, body=b"", kind="text/plain"):
    return lambda handler, message: handler.answer(status, body, kind)


@pytest.mark.parametrize("status", [400, 404, 405, 406, 415, 500, 501])
def test_an_upstream_that_fails_at_the_probe_is_asked_as_a_legacy_one(workshop, status):
    raw, gateway = workshop.serve_raw(tools=TOOLS, legacy=True, by_hand={"server/discover": respond_with(status, b"<h1>?</h1>", "text/html")})
    assert [tool["name"] for tool in Wire(gateway.url("team")).call("tools/list").result["tools"]] == ["t"]
    assert gateway.ready()["upstreams"]["raw"]["revision"] == "2025-11-25"
    assert raw.count("server/discover") == 1 and raw.count("initialize") == 1


def test_an_upstream_that_never_answers_the_probe_is_asked_as_a_legacy_one(workshop):
    ended = threading.Event()
    workshop.stack.callback(ended.set)
    hang = {"server/discover": lambda handler, message: ended.wait(PATIENCE)}
    _, gateway = workshop.serve_raw(tools=TOOLS, legacy=True, by_hand=hang)
    eventually(lambda: gateway.ready()["upstreams"]["raw"]["state"] == "up")
    assert gateway.ready()["upstreams"]["raw"]["revision"] == "2025-11-25"
    assert Wire(gateway.url("team")).call("tools/call", CALL).result


@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_upstream_whose_proxy_cannot_reach_it_is_down_and_not_legacy(workshop, status):
    raw, gateway = workshop.serve_raw(tools=TOOLS, by_hand={"server/discover": respond_with(status)})
    error = eventually(lambda: gateway.ready()["upstreams"]["raw"]["last_error"])
    assert str(status) in error and raw.count("initialize") == 0
    raw.by_hand = {}
    eventually(lambda: gateway.ready()["upstreams"]["raw"]["state"] == "up")
    assert gateway.ready()["upstreams"]["raw"]["revision"] == MODERN


# A stream that breaks

def events(*items):
    return "".join(f"id: {id}\ndata: {data}\n\n" if id else f"data: {data}\n\n" for id, data in items).encode()


NOTICE = json.dumps({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}})


@pytest.mark.quick
@pytest.mark.parametrize("ends_well", [True, False], ids=["closed", "broken off"])
def test_a_legacy_upstreams_stream_is_taken_up_again_where_it_broke(workshop, ends_well):
    asked, resumed = [], []

    def call(handler, message):
        asked.append(message)
        begun = b"retry: 5\n" + events(("e-1", ""), ("e-2", NOTICE))
        handler.answer(200, begun, "text/event-stream") if ends_well else handler.break_off(begun)

    def get(handler, _):
        last = handler.headers["Last-Event-ID"]
        if last is None:
            return handler.answer(405, b"", None)
        resumed.append(last)
        if len(resumed) == 1:
            return handler.break_off(b"retry: 5\n" + events(("e-3", NOTICE)))
        handler.answer(200, events(("e-4", answer(asked[0], {"content": [], "structuredContent": {"at": "last"}}).decode())), "text/event-stream")

    raw, gateway = workshop.serve_raw(tools=TOOLS, legacy=True, by_hand={"tools/call": call, "GET": get})
    result = Wire(gateway.url("team")).call("tools/call", CALL).result
    assert result["structuredContent"] == {"at": "last"}
    assert resumed == ["e-2", "e-3"] and len(asked) == 1, "the call is not made twice"


@pytest.mark.parametrize("legacy, id, status", [(True, None, 200), (False, "e-1", 200), (True, "e-1", 405), (True, "e-1", 404)])
def test_a_stream_that_cannot_be_taken_up_again_is_an_error_of_that_call(workshop, legacy, id, status):
    def call(handler, message):
        handler.break_off(b"retry: 5\n" + events((id, NOTICE)))

    def get(handler, _):
        handler.answer(405 if handler.headers["Last-Event-ID"] is None else status, b"", None)

    raw, gateway = workshop.serve_raw(tools=TOOLS, legacy=legacy, by_hand={"tools/call": call, "GET": get})
    error = Wire(gateway.url("team")).call("tools/call", CALL).error
    assert error["code"] == -32603 and "may have had an effect" in error["message"]
    assert raw.count("tools/call") == 1


# HTTP+SSE

@pytest.mark.parametrize("said", ['{"jsonrpc":"2.0","id":$ID,"result":{"content":[],}}', '{"jsonrpc":"2.0","id":$ID,"error":{"message":"no code"}}'])
def test_an_event_that_is_no_answer_fails_its_call_at_once(workshop, said):
    events, ended = queue.Queue(), threading.Event()
    workshop.stack.callback(ended.set)

    def stream(handler, _):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(b"event: endpoint\ndata: /mcp\n\n")
        while not ended.is_set():
            try:
                handler.wfile.write(b"data: %s\n\n" % events.get(timeout=0.1))
            except queue.Empty:
                continue

    def reply(result):
        def answer_later(handler, message):
            handler.answer(202, b"", None)
            events.put(answer(message, result))
        return answer_later

    def call(handler, message):
        handler.answer(202, b"", None)
        events.put(said.replace("$ID", json.dumps(message["id"])).encode())

    opening = {"protocolVersion": "2024-11-05", "capabilities": {"tools": {}}, "serverInfo": {"name": "raw", "version": "1"}}
    raw = workshop.raw(by_hand={"GET": stream, "initialize": reply(opening), "tools/list": reply({"tools": [TOOL]}), "tools/call": call})
    gateway = workshop.gateway(workshop.configuration(
        {"raw": {"url": raw.url, "transport": "sse", "timeout": "30s"}}, {"team": {"names": "plain", "tools": ["raw.t"]}}))
    error = Wire(gateway.url("team")).call("tools/call", CALL).error
    assert error["code"] == -32603 and "not valid MCP" in error["message"]


# Cancelling

@pytest.mark.parametrize("accept, kind", [
    ("application/json, text/event-stream", "text/event-stream"), ("text/event-stream", "text/event-stream"), ("application/json", "")])
@pytest.mark.parametrize("progress", [False, True], ids=["quiet", "begun"])
def test_a_cancelled_legacy_call_ends_without_an_answer(workshop, accept, kind, progress):
    reached, ended = threading.Event(), threading.Event()
    workshop.stack.callback(ended.set)

    def call(handler, message):
        if progress:
            token = message["params"]["_meta"]["progressToken"]
            begun = json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}})
            handler.break_off(events((None, begun)))
            handler.wfile.flush()
        reached.set()
        ended.wait(PATIENCE)

    raw, gateway = workshop.serve_raw(tools=TOOLS, legacy=True, by_hand={"tools/call": call})
    wire = opened(gateway, "2025-11-25")
    replies = []

    def ask():
        replies.append(wire.call("tools/call", CALL, id=7, headers={"Accept": accept}, **({"progressToken": "p"} if progress else {})))
        while replies[0].is_stream and replies[0].next():
            pass

    calling = threading.Thread(target=ask)
    calling.start()
    assert reached.wait(PATIENCE)
    assert wire.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}).status == 202
    calling.join(PATIENCE)
    assert not calling.is_alive(), "the stream ends"
    assert [m for m in replies[0].messages if "method" not in m] == []
    assert replies[0].kind == kind and replies[0].status in (200, 202)
    eventually(lambda: raw.count("notifications/cancelled") == 1)
