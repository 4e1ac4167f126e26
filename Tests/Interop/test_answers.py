"""Answers of upstreams that break the protocol, and params of clients that do: who hears what of them."""

import json

import pytest
from harness.deadline import eventually
from harness.gateway import Configuration, Gateway
from harness.raw import RawUpstream
from harness.schemas import MODERN
from harness.wire import Wire

pytestmark = [pytest.mark.gateway, pytest.mark.quick]

LEGACY = "2025-11-25"
TOOL = {"name": "t", "inputSchema": {"type": "object"}}
PROMPT = {"name": "p", "arguments": [{"name": "a"}]}
RESOURCE = {"uri": "x:one", "name": "one"}
CAPABILITIES = {"tools": {}, "prompts": {}, "resources": {"subscribe": True}, "completions": {}}
LISTS = {"tools/list": {"tools": [TOOL]}, "prompts/list": {"prompts": [PROMPT]}, "resources/list": {"resources": [RESOURCE]},
         "resources/templates/list": {"resourceTemplates": []}}
OF_MODERN = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
ABLE = {"elicitation": {"form": {}, "url": {}}, "sampling": {}}
USES = {"tools/call": {"name": "t", "arguments": {}}, "prompts/get": {"name": "p", "arguments": {"a": "1"}}, "resources/read": {"uri": "x:one"},
        "completion/complete": {"ref": {"type": "ref/prompt", "name": "p"}, "argument": {"name": "a", "value": ""}}}


class Told:
    """An upstream that answers as it is told, a gateway before it, and a client of either revision."""

    def __init__(self, folder, era):
        self.is_legacy = era == LEGACY
        self.results, self.asked, self.replied = {}, [], []
        opening = {"protocolVersion": LEGACY, "capabilities": CAPABILITIES, "serverInfo": {"name": "raw", "version": "1"}} if self.is_legacy \
            else {**OF_MODERN, "supportedVersions": [MODERN], "capabilities": CAPABILITIES}
        self.opening = {("initialize" if self.is_legacy else "server/discover"): opening, **LISTS}
        methods = ("initialize", "server/discover", *LISTS, *USES, "resources/subscribe", "subscriptions/listen", "logging/setLevel")
        self.upstream = RawUpstream(legacy=self.is_legacy, by_hand={method: self.answer for method in methods})
        self.configuration = Configuration(folder, {"up": {"url": self.upstream.url}}, {"team": {
            "names": "plain", "tools": ["up.*"], "prompts": ["up.*"], "resources": ["up.*"], "new_tools": "show"}})

    def answer(self, handler, message):
        method, id = message["method"], json.dumps(message["id"])
        if method in self.opening:
            result = self.opening[method] if method == "initialize" else {**({} if self.is_legacy else OF_MODERN), **self.opening[method]}
        else:
            result = self.results.get(method)
        if result is None:
            body = f'{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"Method not found"}}}}'
            return handler.answer(404, body.encode())
        text = result if isinstance(result, str) else json.dumps(result)
        handler.answer(200, f'{{"jsonrpc":"2.0","id":{id},"result":{text}}}'.encode())

    def wire(self, revision):
        wire = Wire(self.gateway.url("team"), revision)
        if revision == LEGACY:
            wire.initialize(capabilities=ABLE)
        return wire

    def use(self, revision, method, params=None):
        more = {"capabilities": ABLE} if revision == MODERN else {}
        return self.wire(revision).call(method, params or USES[method], **more).answer()

    def uses(self):
        return [method for method, _, _ in self.upstream.requests if method in USES or method.endswith(("subscribe", "setLevel", "listen"))]

    def __enter__(self):
        self.gateway = Gateway(self.configuration)
        self.gateway.__enter__()
        return self

    def __exit__(self, *what):
        self.gateway.__exit__(*what)
        self.upstream.stop()


@pytest.fixture(scope="module", params=[LEGACY, MODERN])
def told(request, tmp_path_factory):
    with Told(tmp_path_factory.mktemp("answers"), request.param) as told:
        yield told


@pytest.fixture(params=[LEGACY, MODERN])
def revision(request):
    return request.param


GOOD = {"tools/call": {"content": [{"type": "text", "text": "fine"}]}, "prompts/get": {"messages": []}, "resources/read": {"contents": []},
        "completion/complete": {"completion": {"values": []}}}


@pytest.mark.parametrize("method, result, what", [
    ("tools/call", {"content": [], "resultType": "bogus-secret"}, "`resultType`"),
    ("tools/call", {"content": [], "resultType": 5}, None),
    ("tools/call", {}, "no `content`"),
    ("tools/call", {"toolResult": "secret"}, "no `content`"),
    ("tools/call", {"content": "secret"}, "`content`"),
    ("tools/call", {"content": ["secret"]}, "`content`"),
    ("tools/call", '{"content":[],"content":["secret"]}', None),
    ("tools/call", {"content": [], "isError": "secret"}, "`isError`"),
    ("prompts/get", {"description": "secret"}, "no `messages`"),
    ("prompts/get", {"messages": {"role": "secret"}}, "`messages`"),
    ("prompts/get", {"messages": ["secret"]}, "`messages`"),
    ("prompts/get", {"resultType": "task", "taskId": "secret", "messages": []}, "`resultType`"),
    ("resources/read", {"text": "secret"}, "no `contents`"),
    ("resources/read", {"contents": [{"text": "secret"}]}, "`contents`"),
    ("completion/complete", {"values": ["secret"]}, "`completion`"),
    ("completion/complete", {"completion": {"values": "secret"}}, "`completion.values`"),
    ("completion/complete", {"completion": {"values": [1]}}, "`completion.values`"),
])
def test_a_result_that_is_none_of_its_method_is_an_error_that_says_so(told, revision, method, result, what):
    told.results[method] = result
    error = told.use(revision, method)["error"]
    assert error["code"] == -32603 and '"up"' in error["message"] and "error id" in error["message"], error
    assert what is None or what in error["message"], error
    assert "secret" not in json.dumps(error)
    id = error["message"].split("error id ")[1].rstrip(")")
    eventually(lambda: id in told.gateway.process.stderr, what="the log has the cause")
    told.results[method] = {**({} if told.is_legacy else OF_MODERN), **GOOD[method]}
    assert "result" in told.use(revision, method)


@pytest.mark.parametrize("hints", [
    {"ttlMs": "5", "cacheScope": "public"}, {"ttlMs": -5, "cacheScope": "private"}, {"ttlMs": 5, "cacheScope": "bogus"},
    {"ttlMs": 5, "cacheScope": 5}, {"ttlMs": 1.5, "cacheScope": "public"}, {}])
def test_a_bad_hint_for_caching_is_none_at_all(told, revision, hints):
    told.results["resources/read"] = {"resultType": "complete", "contents": [], **hints}
    result = told.use(revision, "resources/read")["result"]
    if revision == LEGACY:
        assert not {"ttlMs", "cacheScope", "resultType"} & set(result)
    else:
        assert result["ttlMs"] in (0, 5) and result["cacheScope"] == "private"
        assert result["ttlMs"] == (5 if hints.get("ttlMs") == 5 else 0)


def test_no_more_than_a_hundred_values_are_completed(told, revision):
    values = [f"value {number}" for number in range(120)]
    told.results["completion/complete"] = {"resultType": "complete", "completion": {"values": values, "total": 120, "hasMore": False}}
    completion = told.use(revision, "completion/complete")["result"]["completion"]
    assert completion == {"values": values[:100], "total": 120, "hasMore": True}
    told.results["completion/complete"]["completion"]["values"] = values[:100]
    assert told.use(revision, "completion/complete")["result"]["completion"]["hasMore"] is False


FORM = {"message": "m", "requestedSchema": {"type": "object", "properties": {"a": {"type": "string"}}}}


def asking(method, params):
    return {"resultType": "input_required", "inputRequests": {"k": {"method": method, "params": params}}, "requestState": "s"}


@pytest.mark.parametrize("result", [
    {"resultType": "input_required"}, {"resultType": "input_required", "inputRequests": [], "requestState": "s"},
    {"resultType": "input_required", "inputRequests": {"k": "secret"}}, {"resultType": "input_required", "requestState": 5},
    asking("secret/method", {}), asking("tools/call", {"name": "t"}), asking("elicitation/create", ["secret"]),
    asking("elicitation/create", {**FORM, "requestedSchema": ["secret"]}), asking("elicitation/create", {**FORM, "message": ["secret"]}),
    asking("elicitation/create", {"message": "m", "requestedSchema": {"type": "object", "properties": {"secret\u202e": {"type": "string"}}}}),
    asking("elicitation/create", {"message": "m", "requestedSchema": {"type": "object", "properties": {"a": {"enum": ["secret\u200b"]}}}}),
    asking("elicitation/create", {"mode": "url", "message": "m", "url": "https://bank@secret.example/"}),
    asking("elicitation/create", {"mode": "url", "message": "m", "url": "javascript:secret()"}),
    asking("sampling/createMessage", {"messages": [5], "maxTokens": 5}), asking("sampling/createMessage", {"messages": "secret", "maxTokens": 5}),
])
def test_a_question_in_another_form_than_the_protocols_is_asked_of_nobody(told, revision, result):
    if told.is_legacy:
        pytest.skip("a legacy upstream asks by requests")
    told.results["tools/call"] = result
    wire = told.wire(revision)
    reply = wire.call("tools/call", USES["tools/call"], **({"capabilities": ABLE} if revision == MODERN else {}))
    error = reply.answer()["error"]
    assert error["code"] == -32603 and '"up"' in error["message"] and "secret" not in json.dumps(error), error
    assert not [m for m in reply.messages if "method" in m]


@pytest.mark.parametrize("method", ["completion/complete"])
def test_nothing_is_asked_where_nothing_may_be(told, revision, method):
    told.results[method] = asking("elicitation/create", FORM)
    assert told.use(revision, method)["error"]["code"] == -32603


def test_structured_content_alone_comes_with_an_empty_content(told, revision):
    told.results["tools/call"] = {"structuredContent": {"a": 1}}
    result = told.use(revision, "tools/call")["result"]
    assert result["content"] == [] and result["structuredContent"] == {"a": 1}


COMPLETE = USES["completion/complete"]


@pytest.mark.parametrize("method, params", [
    ("completion/complete", {"ref": COMPLETE["ref"]}), ("completion/complete", {**COMPLETE, "argument": "a"}),
    ("completion/complete", {**COMPLETE, "argument": {"name": "a"}}), ("completion/complete", {**COMPLETE, "argument": {"name": "a", "value": 1}}),
    ("completion/complete", {"argument": COMPLETE["argument"]}), ("completion/complete", {**COMPLETE, "ref": "p"}),
    ("completion/complete", {**COMPLETE, "ref": {"type": "ref/other", "name": "p"}}), ("completion/complete", {**COMPLETE, "ref": {"name": "p"}}),
    ("completion/complete", {**COMPLETE, "ref": {"type": "ref/prompt", "name": 5}}),
    ("completion/complete", {**COMPLETE, "ref": {"type": "ref/resource", "uri": ""}}),
    ("completion/complete", {**COMPLETE, "context": {"arguments": {"a": 1}}}), ("completion/complete", {**COMPLETE, "context": []}),
    *((method, {"uri": uri}) for method in ("resources/read", "resources/subscribe")
      for uri in ("", "x:\0one", "x:" + "a" * 5_000, "one", "://one", "1x:one", 5)),
    ("resources/read", {}), ("resources/subscribe", {}),
    ("prompts/get", {"name": "p", "arguments": {"a": 1}}), ("prompts/get", {"name": "p", "arguments": {"a": None}}),
    ("prompts/get", {"name": "p", "arguments": ["a"]}), ("prompts/get", {"name": "p", "arguments": "a"}), ("prompts/get", {}),
    ("tools/call", {"name": "t", "arguments": ["a"]}), ("tools/call", {"name": "t", "arguments": "a"}), ("tools/call", {"name": "t", "arguments": 5}),
    ("logging/setLevel", {"level": "loud"}), ("logging/setLevel", {"level": 5}), ("logging/setLevel", {}),
])
def test_bad_params_are_refused_here_and_go_nowhere(told, revision, method, params):
    if revision == MODERN and method in ("resources/subscribe", "logging/setLevel"):
        pytest.skip("this revision has other words for it")
    before = len(told.uses())
    uri = params.get("uri", "x")
    if revision == MODERN and not isinstance(uri, str):
        pytest.skip("its header can't say so")
    reply = told.wire(revision).call(method, params, headers=None if uri or revision == LEGACY else {"Mcp-Name": ""})
    assert reply.error["code"] == -32602, reply.error
    assert told.uses()[before:] == []


def test_arguments_that_are_null_are_none(told, revision):
    told.results["tools/call"] = {"resultType": "complete", **GOOD["tools/call"]}
    assert "result" in told.use(revision, "tools/call", {"name": "t", "arguments": None})
    assert "arguments" not in json.loads(told.upstream.calls()[-1][0])["params"]
