"""What either end says outside of calls: of tasks, of links, of roots; and questions that come there."""

import json

import pytest
from harness.byhand import background
from harness.deadline import eventually
from harness.plain import PlainClient
from harness.raw import RawUpstream
from harness.tasks import DECLARED, TaskUpstream
from harness.wire import request
from test_tasks import LEGACY, MODERN, TaskClient

pytestmark = [pytest.mark.gateway, pytest.mark.quick]

TRANSPORTS = ["http", "sse", "stdio"]
TEAM = {"team": {"names": "plain", "tools": ["up.*"], "new_tools": "show"}}


@pytest.fixture
def serve(workshop):
    """A gateway over one upstream, and what makes clients of it."""
    def serve(upstream, **more):
        workshop.stack.callback(upstream.stop)
        settings = {name: more.pop(name) for name in ("instances",) if name in more}
        gateway = workshop.gateway(workshop.configuration({"up": {"url": upstream.url, **settings}}, TEAM, **more))

        def connect(transport="http", **options):
            client = PlainClient(gateway, "team", transport, **options)
            workshop.stack.callback(client.close)
            return client
        return gateway, connect
    return serve


# Tasks

@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_legacy_client_is_told_how_its_task_stands(serve, transport):
    upstream = TaskUpstream("legacy", holds=True)
    _, connect = serve(upstream)
    client, other = connect(transport), connect("http")
    mine = client.ask("tools/call", name="slow", arguments={}, task={})["result"]["task"]["taskId"]
    first = upstream.last
    theirs = other.ask("tools/call", name="slow", arguments={}, task={})["result"]["task"]["taskId"]
    eventually(lambda: upstream.raw.streams, what="the upstream's stream")
    upstream.announce("upstream-task-1", taskId="nobodys")
    upstream.finish(first)
    upstream.announce(first)
    upstream.announce(upstream.last)
    told = client.told("notifications/tasks/status")["params"]
    assert (told["taskId"], told["status"]) == (mine, "completed") and first not in json.dumps(told)
    # A session hears of its own only.
    assert other.told("notifications/tasks/status")["params"]["taskId"] == theirs
    assert not [message for message in client.heard + other.heard if message.get("method") == "notifications/tasks/status"]


def test_who_looks_at_a_task_hears_of_it_from_then_on(serve):
    upstream = TaskUpstream("legacy", holds=True)
    gateway, connect = serve(upstream)
    modern = TaskClient(gateway.url("team"), MODERN)
    id = modern.create("slow")["taskId"]
    client = connect()
    eventually(lambda: upstream.raw.streams, what="the upstream's stream")
    assert client.ask("tasks/get", taskId=id)["result"]["status"] == "working"
    upstream.finish(upstream.last)
    upstream.announce(upstream.last)
    assert client.told("notifications/tasks/status")["params"]["status"] == "completed"


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_a_modern_client_is_told_of_the_tasks_that_it_listens_for(serve, era):
    upstream = TaskUpstream(era, holds=True)
    gateway, _ = serve(upstream)
    client = TaskClient(gateway.url("team"), MODERN)
    done, failed = client.create("slow")["taskId"], client.create("failing")["taskId"]
    stream = client.wire.call("subscriptions/listen", {"notifications": {"taskIds": [done, "x", failed, done]}}, id="sub", capabilities=DECLARED)
    acknowledged = stream.next()["params"]
    assert acknowledged["notifications"] == {"taskIds": [done, failed]}
    tag = acknowledged["_meta"]
    working = [stream.next()["params"] for _ in range(2)]
    assert {task["taskId"]: task["status"] for task in working} == {done: "working", failed: "working"}
    for id in upstream.tasks:
        upstream.finish(id)
    ended = {}
    while len(ended) < 2:
        message = stream.next()
        assert message["method"] == "notifications/tasks" and message["params"]["_meta"] == tag
        ended[message["params"]["taskId"]] = message["params"]
    assert ended[done]["result"]["content"][0]["text"] == "slow done"
    assert ended[failed]["error"] == {"code": -32050, "message": f"no luck with {failed}"}
    look = {key: value for key, value in client.look(done).items() if key not in ("_meta", "resultType")}
    assert {key: value for key, value in ended[done].items() if key != "_meta"} == look, "what a look tells"
    looks = upstream.raw.count("tasks/get")
    stream.close()
    assert upstream.raw.count("tasks/get") == looks, "nobody looks at what has ended"


def test_a_task_that_asks_says_so_to_whom_listens(serve):
    upstream = TaskUpstream("legacy")
    gateway, _ = serve(upstream)
    client = TaskClient(gateway.url("team"), MODERN)
    client.capabilities = {**DECLARED, "elicitation": {}}
    id = client.create("ask")["taskId"]
    stream = client.wire.call("subscriptions/listen", {"notifications": {"taskIds": [id]}}, capabilities=client.capabilities)
    asked = set()
    while (message := stream.next())["params"].get("status") != "completed":
        for key in set(message["params"].get("inputRequests", {})) - asked:
            asked.add(key)
            client.ask("tasks/update", taskId=id, inputResponses={key: {"action": "accept", "content": {"yes": True}}})
    assert len(asked) == 2 and message["params"]["result"]["content"][0]["text"] == "ask done"
    stream.close()


@pytest.mark.parametrize("ids", ["x", [1], {}])
def test_task_ids_that_are_none_are_refused(serve, ids):
    upstream = TaskUpstream("legacy")
    gateway, _ = serve(upstream)
    client = TaskClient(gateway.url("team"), MODERN)
    error = client.wire.call("subscriptions/listen", {"notifications": {"taskIds": ids}}, capabilities=DECLARED).error
    assert error["code"] == -32602


# Links

TOOLS = '[{"name":"t","inputSchema":{"type":"object"}}]'
LINKS = {"elicitation": {"form": {}, "url": {}}}


def link(id):
    return {"mode": "url", "message": "Look", "url": "https://example.com/here", "elicitationId": id}


def complete(id):
    return {"jsonrpc": "2.0", "method": "notifications/elicitation/complete", "params": {"elicitationId": id}}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("how", ["asked", "required"])
def test_that_a_link_is_done_with_reaches_the_session_that_had_it_after_its_call(serve, transport, how):
    numbers = iter("abcdef")

    def respond(handler, message):
        id = f"link-{next(numbers)}"
        if how == "required":
            error = {"code": -32042, "message": "first", "data": {"elicitations": [link(id)]}}
            return handler.answer(200, json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}).encode())
        send = handler.stream()
        raw.ask(send, {"method": "elicitation/create", "params": link(id)}).get(timeout=10)
        send({"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}})

    raw = RawUpstream(TOOLS, legacy=True, respond=respond, by_hand={"GET": lambda *call: raw.listen(*call)})
    _, connect = serve(raw)
    clients = [connect(transport, capabilities=LINKS), connect("http", capabilities=LINKS)]
    for client in clients:
        call = client.begin("tools/call", {"name": "t", "arguments": {}})
        if how == "asked":
            question = client.told("elicitation/create")
            client.send({"id": question["id"], "result": {"action": "accept"}})
        assert client.answer(call)
    for id in ("link-x", "link-b", "link-a"):
        raw.announce(complete(id))
    assert [client.told("notifications/elicitation/complete")["params"] for client in clients] == [
        {"elicitationId": "link-a"}, {"elicitationId": "link-b"}]
    assert not [message for client in clients for message in client.heard if message.get("method") == "notifications/elicitation/complete"]


# Questions beside the call's own stream

FORM = {"method": "elicitation/create", "params": {"message": "Name?", "requestedSchema": {"type": "object", "properties": {}}}}
SAMPLE = {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}}
SAID = {"role": "assistant", "content": {"type": "text", "text": "hello"}, "model": "m"}


def answering_with_json(question):
    """A legacy upstream that answers with JSON only, and asks on the session's stream before it does."""
    def respond(handler, message):
        eventually(lambda: raw.streams, what="the gateway's stream")
        answer = raw.ask(raw.announce, question).get(timeout=10)
        result = {"content": [{"type": "text", "text": json.dumps(answer.get("result", answer.get("error")))}]}
        handler.answer(200, json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode())

    raw = RawUpstream(TOOLS, legacy=True, respond=respond, by_hand={"GET": lambda *call: raw.listen(*call)})
    return raw


def text(result):
    return json.loads(result["content"][0]["text"])


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_upstream_that_answers_with_json_asks_on_the_sessions_stream(serve, transport):
    _, connect = serve(answering_with_json(FORM))
    client = connect(transport, capabilities={"elicitation": {}})
    for _ in range(2):
        call = client.begin("tools/call", {"name": "t", "arguments": {}})
        question = client.told("elicitation/create")
        assert question["params"]["message"] == "up: Name?"
        client.send({"id": question["id"], "result": {"action": "decline"}})
        assert text(client.answer(call)["result"]) == {"action": "decline"}


def test_it_asks_a_modern_client_too(serve):
    gateway, _ = serve(answering_with_json(FORM))
    client = TaskClient(gateway.url("team"), MODERN)
    client.capabilities = {"elicitation": {}}
    first = client.ask("tools/call", name="t", arguments={}).result
    answers = {key: {"action": "decline"} for key in first["inputRequests"]}
    second = client.ask("tools/call", name="t", arguments={}, requestState=first["requestState"], inputResponses=answers).result
    assert text(second) == {"action": "decline"}


@pytest.mark.parametrize("limits", [{"answer_time": "1s"}, {"answer_time": "1m", "call_time": "2s"}])
def test_the_calls_clock_stands_still_only_while_somebody_is_asked(serve, limits):
    upstream = answering_with_json(FORM)
    asks = limits["answer_time"] == "1s"
    if not asks:
        upstream.respond = lambda handler, message: upstream.over.wait(10)
    _, connect = serve(upstream, limits=limits)
    client = connect(capabilities={"elicitation": {}})
    answer = client.ask("tools/call", name="t", arguments={})
    if asks:
        assert "in time" in text(answer["result"])["message"]
    else:
        assert "did not answer in time" in answer["error"]["message"]
        eventually(lambda: upstream.count("notifications/cancelled"), what="the cancellation")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_what_is_called_in_a_batch_may_ask(serve, transport):
    _, connect = serve(answering_with_json(SAMPLE))
    client = connect(transport, revision="2025-03-26", capabilities={"sampling": {}})
    # Over HTTP one after another; where they run at once, nobody could tell to which of two a question belongs that names none.
    calls = ["a", "b"] if transport == "http" else ["a"]
    background(client.carrier.send, [request("tools/call", {"name": "t", "arguments": {}}, id) for id in calls] + [request("ping", id="c")])
    for _ in calls:
        question = client.told("sampling/createMessage")
        client.send({"id": question["id"], "result": SAID})
    batch = client.until(lambda message: isinstance(message, list))
    answers = {message["id"]: message["result"] for message in batch}
    assert answers.keys() == {*calls, "c"} and all(text(answers[id]) == SAID for id in calls)


# Outside of any call

ROOTS = {"roots": {"listChanged": True}}
LISTED = {"roots": [{"uri": "file:///home/ada"}]}


def listening(**how):
    raw = RawUpstream(TOOLS, legacy=True, result='{"content":[]}', by_hand={"GET": lambda *call: raw.listen(*call)}, **how)
    return raw


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("instances", ["shared", "per-session"])
def test_changed_roots_reach_the_upstream_which_asks_for_them(serve, transport, instances):
    raw = listening()
    _, connect = serve(raw, instances=instances)
    client = connect(transport, capabilities=ROOTS)
    client.ask("tools/call", name="t", arguments={})
    assert any(json.loads(body)["params"]["capabilities"] == ROOTS for method, body, _ in raw.requests if method == "initialize")
    eventually(lambda: raw.streams, what="the gateway's stream")
    client.send({"method": "notifications/roots/list_changed"})
    eventually(lambda: raw.count("notifications/roots/list_changed"), what="the notification")
    answer = raw.ask(raw.streams[-1], {"method": "roots/list"})
    client.send({"id": client.told("roots/list")["id"], "result": LISTED})
    assert answer.get(timeout=10)["result"] == LISTED


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_upstream_that_asks_as_soon_as_it_is_opened_waits_for_its_client(serve, transport):
    asked = []

    def listen(handler, message):
        asked.append(raw.ask(handler.stream(), {"method": "roots/list"}))
        raw.over.wait()

    raw = RawUpstream(TOOLS, legacy=True, by_hand={"GET": listen})
    _, connect = serve(raw)
    client = connect(transport, capabilities={"roots": {}})
    client.send({"id": client.told("roots/list")["id"], "result": LISTED})
    assert asked[0].get(timeout=10)["result"] == LISTED
    client.send({"method": "notifications/roots/list_changed"})
    client.ask("tools/call", name="t", arguments={})
    assert not raw.count("notifications/roots/list_changed"), "it was not told that it would hear of that"


def test_where_several_clients_could_be_meant_nobody_is_asked(serve):
    raw = listening()
    _, connect = serve(raw)
    clients = [connect(capabilities=ROOTS) for _ in range(2)]
    eventually(lambda: raw.streams, what="the gateway's stream")
    error = raw.ask(raw.announce, {"method": "roots/list"}).get(timeout=10)["error"]
    assert error["code"] == -32603 and "not just one client" in error["message"]
    # What the client has not declared is refused as before.
    error = raw.ask(raw.announce, FORM).get(timeout=10)["error"]
    assert error["code"] == -32601
    assert not [message for client in clients for message in client.heard if "method" in message and "id" in message]


def test_a_question_that_nobody_answers_in_time_is_taken_back(serve):
    raw = listening()
    _, connect = serve(raw, limits={"answer_time": "500ms"})
    client = connect(capabilities=ROOTS)
    eventually(lambda: raw.streams, what="the gateway's stream")
    answer = raw.ask(raw.announce, {"method": "roots/list"})
    asked = client.told("roots/list")["id"]
    assert "in time" in answer.get(timeout=10)["error"]["message"]
    assert client.told("notifications/cancelled")["params"]["requestId"] == asked


def test_what_one_caller_says_of_roots_is_not_told_where_another_is_served_too(workshop):
    raw = listening()
    workshop.stack.callback(raw.stop)
    configuration = workshop.configuration({"up": {"url": raw.url}}, TEAM, identity={"keys_file": "keys.yaml"})
    keys = [configuration.run("key", "new", name).stdout.strip() for name in ("ada", "bob")]
    gateway = workshop.gateway(configuration)
    ada, bob = [PlainClient(gateway, "team", "http", capabilities=ROOTS, proof={"Authorization": f"Bearer {key}"}) for key in keys]
    for client in (ada, bob):
        workshop.stack.callback(client.close)
    ada.ask("tools/call", name="t", arguments={})
    ada.send({"method": "notifications/roots/list_changed"})
    eventually(lambda: raw.count("notifications/roots/list_changed") == 1, what="the notification")
    bob.ask("tools/call", name="t", arguments={})
    bob.close()
    ada.send({"method": "notifications/roots/list_changed"})
    error = raw.ask(raw.announce, {"method": "roots/list"}).get(timeout=10)["error"]
    assert error["code"] == -32603, "bob is served too, although he does not listen"
    assert raw.count("notifications/roots/list_changed") == 1
