"""What the gateway does not need to understand arrives as it was sent, to the byte where JSON has no other measure."""

import json

import pytest
from harness.raw import RawUpstream
from harness.wire import Wire, meta, request, standard_headers

pytestmark = [pytest.mark.gateway, pytest.mark.quick]

ODD = ('{"big":123456789012345678901234567890,"one":1.0,"exp":1E400,"neg":-0.0,"deep":{"null":null,"list":[[],{},""]},'
       '"text":"\\u00e9\\ud83d\\ude80\\u0000\\/","dup":"x"}')
TOOLS = ('[{"name":"odd","x-vendor":' + ODD + ',"inputSchema":{"type":"object","properties":{"n":{"type":"number","default":1.0,"x":'
         + ODD + '}},"$comment":"kept"},"icons":[{"src":"data:,","sizes":["1x1"]}],"annotations":{"readOnlyHint":true,"x":1.50},'
         '"_meta":{"a":' + ODD + '}}]')
RESULT = '{"content":[{"type":"text","text":"\\u00e9","x":' + ODD + '}],"structuredContent":' + ODD + ',"_meta":{"m":' + ODD + \
         '},"resultType":"complete","vendor":' + ODD + "}"


@pytest.fixture(scope="module")
def raw():
    upstream = RawUpstream(TOOLS, RESULT)
    yield upstream
    upstream.stop()


@pytest.fixture(scope="module")
def url(raw, tmp_path_factory):
    from harness.gateway import Configuration, Gateway
    configuration = Configuration(
        tmp_path_factory.mktemp("fidelity"), {"raw": {"url": raw.url}},
        {"team": {"names": "plain", "tools": ["raw.*"], "new_tools": "show"}})
    with Gateway(configuration) as gateway:
        yield gateway.url("team")


def member(body, name):
    """The source text of a member's value, which json.loads would lose."""
    text = body.decode()
    start = text.index(f'"{name}":') + len(name) + 3
    while text[start] == " ":
        start += 1
    return text[start:]


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_a_result_arrives_unchanged(url, raw, revision):
    wire = Wire(url, revision)
    if revision < "2026":
        wire.initialize()
    reply = wire.call("tools/call", {"name": "odd", "arguments": {}})
    body = reply.body or json.dumps(reply.answer()).encode()
    assert reply.result["content"][0]["x"]["big"] == 123456789012345678901234567890
    if reply.body:
        for name in ("x", "structuredContent", "m", "vendor"):
            assert member(body, name).startswith(ODD), name
    assert reply.result["vendor"] == json.loads(ODD)


def test_a_tool_is_listed_unchanged(url):
    reply = Wire(url).call("tools/list")
    assert reply.result["tools"] == json.loads(TOOLS)
    for name in ("x-vendor", "x", "a"):
        assert member(reply.body, name).startswith(ODD), name


def test_arguments_arrive_unchanged(url, raw):
    params = json.dumps({"_meta": meta()})[1:-1]
    body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"odd","arguments":{ODD},"unknown":{ODD},{params}}}}}'
    wire = Wire(url)
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
               **standard_headers(request("tools/call", {"name": "odd"}))}
    assert wire.send(body=body.encode(), headers=headers, answers="tools/call").status == 200
    received, _ = raw.calls()[-1]
    assert member(received, "arguments").startswith(ODD)


def test_a_requests_metadata_reaches_the_upstream(url, raw):
    Wire(url).call("tools/call", {"name": "odd", "arguments": {}}, **{"example.com/trace": {"id": "abc"}, "traceparent": "00-1-2-01"})
    received = json.loads(raw.calls()[-1][0])
    assert received["params"]["_meta"]["example.com/trace"] == {"id": "abc"}
    assert received["params"]["_meta"]["traceparent"] == "00-1-2-01"


def test_the_upstream_is_sent_the_headers_of_its_own_names(url, raw):
    Wire(url).call("tools/call", {"name": "odd", "arguments": {}})
    _, headers = raw.calls()[-1]
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["mcp-method"] == "tools/call" and headers["mcp-name"] == "odd" and headers["mcp-protocol-version"] == "2026-07-28"
    assert headers["content-type"].startswith("application/json")
    assert "application/json" in headers["accept"] and "text/event-stream" in headers["accept"]


def test_a_clients_own_headers_do_not_go_upstream(url, raw):
    # Its token doesn't either: test_auth_scenario.py.
    message = request("tools/call", {"name": "odd", "arguments": {}, "_meta": meta()})
    assert Wire(url).post(message, {"Cookie": "a=b", "X-Forwarded-For": "1.2.3.4", "X-Own": "mine"}).status == 200
    _, headers = raw.calls()[-1]
    assert not {"cookie", "x-forwarded-for", "x-own"} & {name.lower() for name in headers}


PLAIN = {"content": [{"type": "text", "text": "a\nb"}], "resultType": "complete", "vendor": [{"x": [1, {}]}, None]}


def test_an_answer_over_several_lines_is_read(raw, url):
    raw.respond = answer_with('{\n  "jsonrpc": "2.0",\r\n  "id": $ID,\n  "result": ' + json.dumps(PLAIN, indent=4) + "\n}\n")
    try:
        assert Wire(url).call("tools/call", {"name": "odd", "arguments": {}}).result["vendor"] == PLAIN["vendor"]
    finally:
        raw.respond = None


def test_a_stream_whose_data_has_several_lines_is_read(raw, url):
    notice = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "$TOKEN", "progress": 1, "message": "one\ntwo"}}

    def respond(handler, message):
        notice["params"]["progressToken"] = message["params"]["_meta"]["progressToken"]
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": PLAIN}
        events = ["\n".join("data: " + line for line in json.dumps(m, indent=2).split("\n")) for m in (notice, answer)]
        handler.answer(200, ("id: 1\ndata:\n\n: hello\n\n" + "\n\n".join(events) + "\n\n").encode(), "text/event-stream")

    raw.respond = respond
    try:
        reply = Wire(url).call("tools/call", {"name": "odd", "arguments": {}}, progressToken="mine")
        assert reply.result["vendor"] == PLAIN["vendor"]
        assert [m["params"] for m in reply.notifications] == [{"progressToken": "mine", "progress": 1, "message": "one\ntwo"}]
    finally:
        raw.respond = None


# Upstreams that misbehave

def answer_with(body, status=200, kind="application/json"):
    def respond(handler, message):
        text = body.replace("$ID", json.dumps(message["id"]))
        handler.answer(status, text.encode(), kind)
    return respond


@pytest.mark.parametrize("name, respond", [
    ("not JSON", answer_with("<html>oops</html>", 200, "text/html")),
    ("half a document", answer_with('{"jsonrpc":"2.0","id":$ID,"result":{"content":[')),
    ("another id", answer_with('{"jsonrpc":"2.0","id":"someone-elses","result":{"content":[]}}')),
    ("an HTTP error", answer_with("secret stack trace at /srv/app.py", 500, "text/plain")),
    ("no content", answer_with("", 200)),
    ("neither result nor error", answer_with('{"jsonrpc":"2.0","id":$ID}')),
    ("a stream without an answer", answer_with(": nothing\n\n", 200, "text/event-stream")),
    ("unauthorized", answer_with("", 401)),
    ("a redirect", answer_with("", 302)),
])
def test_an_upstream_that_answers_nonsense_is_an_error_of_that_call_only(raw, url, name, respond):
    raw.respond = respond
    try:
        message = Wire(url).call("tools/call", {"name": "odd", "arguments": {}}, id=5).answer()
    finally:
        raw.respond = None
    assert message["id"] == 5
    said = json.dumps(message)
    assert "error" in message or message["result"].get("isError")
    assert "secret" not in said and "/srv" not in said and "127.0.0.1" not in said
    assert Wire(url).call("tools/call", {"name": "odd", "arguments": {}}).result


def test_an_error_of_the_upstream_is_passed_on(raw, url):
    raw.respond = answer_with('{"jsonrpc":"2.0","id":$ID,"error":{"code":-32000,"message":"no such project","data":{"hint":"x"}}}')
    try:
        error = Wire(url).call("tools/call", {"name": "odd", "arguments": {}}).error
    finally:
        raw.respond = None
    assert error == {"code": -32000, "message": "no such project", "data": {"hint": "x"}}
