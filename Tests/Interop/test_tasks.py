"""Tasks of 2025-11-25 and of the extension of 2026-07-28, from either kind of client to either kind of upstream."""

import contextlib
import json
import threading

import pytest
from harness.deadline import eventually
from harness.tasks import DECLARED, EXTENSION, QUESTION, RELATED, TaskUpstream
from harness.wire import Wire

pytestmark = [pytest.mark.gateway, pytest.mark.quick]

LEGACY, MODERN = "2025-11-25", "2026-07-28"
CELLS = [(client, upstream) for client in (LEGACY, MODERN) for upstream in ("legacy", "modern")]


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    from harness.gateway import Configuration, Gateway
    upstreams = {era: TaskUpstream(era) for era in ("legacy", "modern")}
    folder = tmp_path_factory.mktemp("tasks")
    servers = {era: {"names": "plain", "tools": [f"{era}.*"], "new_tools": "show"} for era in upstreams}
    servers["other"] = {"names": "plain", "tools": ["legacy.*"], "new_tools": "show"}
    with Gateway(Configuration(folder, {era: {"url": upstream.url} for era, upstream in upstreams.items()}, servers)) as gateway:
        yield gateway, upstreams
    for upstream in upstreams.values():
        upstream.stop()


class TaskClient:
    """A client of tasks in its revision's way."""

    def __init__(self, url, revision, proof=None):
        self.wire = Wire(url, revision, proof=proof)
        self.revision = revision
        self.capabilities = DECLARED if revision == MODERN else None
        if revision < MODERN:
            self.opening = self.wire.initialize()

    def ask(self, method, **params):
        return self.wire.call(method, params, capabilities=self.capabilities)

    def create(self, name, **arguments):
        params = {"name": name, "arguments": arguments}
        if self.revision == MODERN:
            result = self.ask("tools/call", **params).result
            assert result["resultType"] == "task" and "task" not in result and "requestState" not in result, result
            return result
        return self.ask("tools/call", **params, task={"ttl": 5000}).result["task"]

    def look(self, id):
        return self.ask("tasks/get", taskId=id).result

    def ended(self, id):
        while True:
            task = self.look(id)
            assert task["taskId"] == id
            if task["status"] in ("completed", "failed", "cancelled"):
                return task

    def outcome(self, id):
        """The result or error, in whichever way it is told."""
        if self.revision == MODERN:
            task = self.ended(id)
            return task.get("result") or task["error"]
        message = self.ask("tasks/result", taskId=id).answer()
        return message.get("result") or message["error"]


@pytest.fixture(params=CELLS, ids=lambda cell: f"{cell[0]}-{cell[1]}")
def cell(request, servers):
    gateway, upstreams = servers
    revision, era = request.param
    return TaskClient(gateway.url(era), revision), upstreams[era]


@pytest.fixture
def direct(servers):
    """Makes a client and names its upstream."""
    gateway, upstreams = servers
    return lambda revision, era: (TaskClient(gateway.url(era), revision), upstreams[era])


# Where a legacy client meets a modern upstream the gateway waits: see below.
@pytest.fixture(params=[cell for cell in CELLS if cell != (LEGACY, "modern")], ids=lambda cell: f"{cell[0]}-{cell[1]}")
def task_cell(request, direct):
    return direct(*request.param)


def test_a_call_becomes_a_task_that_is_followed_to_its_result(task_cell):
    client, upstream = task_cell
    task = client.create("slow", x=1)
    assert task["status"] == "working" and upstream.last not in json.dumps(task)
    assert client.look(task["taskId"])["status"] in ("working", "completed")
    assert client.ended(task["taskId"])["status"] == "completed"
    assert client.outcome(task["taskId"])["content"][0]["text"] == "slow done"


def test_times_are_told_in_the_clients_words(task_cell):
    client, _ = task_cell
    task = client.create("slow")
    for state in (task, client.look(task["taskId"])):
        words = ("ttlMs", "pollIntervalMs") if client.revision == MODERN else ("ttl", "pollInterval")
        assert [state[word] for word in words] == [60000, 100]
        assert not {"ttl", "pollInterval", "ttlMs", "pollIntervalMs"} - set(words) & set(state)


def test_what_fails_in_the_protocol_is_told_as_that_error(task_cell):
    client, upstream = task_cell
    task = client.create("failing")
    assert client.ended(task["taskId"])["status"] == "failed"
    error = client.outcome(task["taskId"])
    assert error == {"code": -32050, "message": f"no luck with {task['taskId']}"}


def test_what_fails_in_the_tool_is_completed_in_one_era_and_failed_in_the_other(task_cell):
    client, _ = task_cell
    task = client.create("flawed")
    assert client.ended(task["taskId"])["status"] == ("completed" if client.revision == MODERN else "failed")
    assert client.outcome(task["taskId"])["isError"] is True


def test_a_task_is_cancelled(task_cell):
    client, upstream = task_cell
    task = client.create("slow")
    answer = client.ask("tasks/cancel", taskId=task["taskId"]).result
    if client.revision == MODERN:
        assert {key for key in answer if key != "_meta"} == {"resultType"} and answer["resultType"] == "complete"
    else:
        assert answer["taskId"] == task["taskId"] and answer["status"] == "cancelled"
    assert upstream.tasks[upstream.last]["status"] == "cancelled"
    assert client.look(task["taskId"])["status"] == "cancelled"


def test_cancelling_what_has_ended_is_refused_in_one_era_and_heard_in_the_other(task_cell):
    client, _ = task_cell
    task = client.create("slow")
    client.ended(task["taskId"])
    answer = client.ask("tasks/cancel", taskId=task["taskId"]).answer()
    if client.revision == MODERN:
        assert answer["result"]["resultType"] == "complete"
    else:
        assert answer["error"]["code"] == -32602 and "upstream-task" not in answer["error"]["message"]


def test_the_upstream_gets_its_own_id_and_the_headers_of_it(task_cell):
    client, upstream = task_cell
    client.ended(client.create("slow")["taskId"])
    message, headers = upstream.received("tasks/get")[-1]
    assert message["params"]["taskId"] == upstream.last
    if upstream.era == "modern":
        assert headers["mcp-name"] == upstream.last and headers["mcp-method"] == "tasks/get"


def test_a_result_says_which_task_it_is_of(direct):
    client, upstream = direct(LEGACY, "legacy")
    created = client.ask("tools/call", name="slow", arguments={}, task={"ttl": 5000}).result
    id = created["task"]["taskId"]
    assert created["_meta"]["io.modelcontextprotocol/model-immediate-response"] == f"started {id}"
    assert upstream.received("tools/call")[-1][0]["params"]["task"] == {"ttl": 5000}
    result = client.ask("tasks/result", taskId=id).result
    assert result["_meta"] == {RELATED: {"taskId": id}, "vendor": 1}


def test_a_modern_result_has_no_such_metadata(direct):
    client, _ = direct(MODERN, "legacy")
    result = client.outcome(client.create("slow")["taskId"])
    assert RELATED not in result.get("_meta", {}) and result["_meta"] == {"vendor": 1}


def test_a_status_notification_on_the_results_stream_names_the_clients_id(direct):
    client, upstream = direct(LEGACY, "legacy")
    ordinary = upstream.raw.by_hand["tasks/result"]

    def result(handler, message):
        def status(id, said):
            return {"jsonrpc": "2.0", "method": "notifications/tasks/status",
                    "params": {**upstream.state(upstream.tasks[upstream.last]), "taskId": id, "status": said}}
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}}
        related = {"_meta": {RELATED: {"taskId": message["params"]["taskId"]}}}
        said = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "error", "data": "x", **related}}
        events = [status(message["params"]["taskId"], "completed"), status("somebody-elses", "failed"), said, answer]
        handler.answer(200, "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode(), "text/event-stream")

    id = client.create("slow")["taskId"]
    upstream.raw.by_hand["tasks/result"] = result
    try:
        reply = client.ask("tasks/result", taskId=id)
        assert reply.result["_meta"][RELATED]["taskId"] == id
    finally:
        upstream.raw.by_hand["tasks/result"] = ordinary
    status, said = reply.notifications
    assert (status["method"], status["params"]["taskId"], status["params"]["status"]) == ("notifications/tasks/status", id, "completed")
    assert said["params"]["_meta"] == {RELATED: {"taskId": id}}


# Who knows no tasks

@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("revision", ["2025-06-18", LEGACY])
def test_for_a_legacy_client_without_tasks_the_gateway_waits(direct, revision, era):
    client, upstream = direct(revision, era)
    assert client.ask("tools/call", name="must", arguments={}).result["content"][0]["text"] == "must done"
    error = client.ask("tools/call", name="failing", arguments={}).error
    assert error["code"] == -32050
    if revision < LEGACY:
        # There `task` is a word like any other.
        result = client.ask("tools/call", name="slow", arguments={}, task={"ttl": 1}).result
        assert result["content"][0]["text"] == "slow at once"


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_a_modern_client_without_the_extension_gets_a_result_or_is_told_to_declare_it(direct, era):
    client, _ = direct(MODERN, era)
    client.capabilities = {}
    assert client.ask("tools/call", name="slow", arguments={}).result["content"][0]["text"] == "slow at once"
    error = client.ask("tools/call", name="must", arguments={}).error
    assert error["code"] == -32021 and error["data"]["requiredCapabilities"] == DECLARED
    for method in ("tasks/get", "tasks/update", "tasks/cancel"):
        error = client.ask(method, taskId="any", inputResponses={}).error
        assert error["code"] == -32021 and error["data"]["requiredCapabilities"] == DECLARED


def test_a_tool_without_tasks_is_not_made_one(direct):
    for era in ("legacy", "modern"):
        client, _ = direct(LEGACY, era)
        assert client.ask("tools/call", name="greet", arguments={}, task={}).error["code"] == -32601
        client, _ = direct(MODERN, era)
        assert client.ask("tools/call", name="greet", arguments={}, task={"ttl": 1}).result["content"][0]["text"] == "greet at once"


def test_what_is_declared_and_listed_fits_the_revision(direct):
    client, _ = direct(LEGACY, "legacy")
    assert client.opening["capabilities"]["tasks"] == {"cancel": {}, "requests": {"tools": {"call": {}}}}
    listed = {tool["name"]: tool.get("execution", {}).get("taskSupport") for tool in client.ask("tools/list").result["tools"]}
    # The gateway waits where it must, so nothing requires a task of its client.
    assert listed == {"greet": None, "slow": "optional", "must": "optional", "failing": "optional", "flawed": "optional", "ask": "optional", "must_ask": "optional"}
    assert "tasks" not in TaskClient(client.wire.url, "2025-06-18").opening["capabilities"]
    capabilities = TaskClient(client.wire.url, MODERN).ask("server/discover").result["capabilities"]
    assert capabilities["extensions"] == {EXTENSION: {}} and "tasks" not in capabilities


def test_methods_of_the_other_era_do_not_exist(direct):
    client, _ = direct(MODERN, "modern")
    id = client.create("slow")["taskId"]
    for method in ("tasks/result", "tasks/list"):
        assert client.ask(method, taskId=id).error["code"] == -32601
    client, _ = direct(LEGACY, "legacy")
    for method in ("tasks/update", "tasks/list"):
        assert client.ask(method, taskId=client.create("slow")["taskId"]).error["code"] == -32601
    client, _ = direct("2025-06-18", "legacy")
    assert client.ask("tasks/get", taskId=id).error["code"] == -32601


# Questions

def test_a_task_that_asks_is_answered_by_an_update(direct):
    client, upstream = direct(MODERN, "modern")
    client.capabilities = {**DECLARED, "elicitation": {}}
    id = client.create("ask")["taskId"]
    task = client.look(id)
    assert task["status"] == "input_required" and list(task["inputRequests"]) == ["q1"]
    answers = {"q1": {"action": "accept", "content": {"yes": True}}}
    answer = client.ask("tasks/update", taskId=id, inputResponses=answers).result
    assert {key for key in answer if key != "_meta"} == {"resultType"}
    assert upstream.tasks[upstream.last]["answers"] == answers
    assert client.outcome(id)["content"][0]["text"] == "ask done"


def test_a_legacy_task_asks_a_modern_client_by_its_state(direct):
    client, upstream = direct(MODERN, "legacy")
    client.capabilities = {**DECLARED, "elicitation": {}}
    id = client.create("ask")["taskId"]
    keys = []
    for number in range(2):
        task = eventually(lambda: asking(client, id, keys), what="the question")
        assert client.look(id)["inputRequests"] == task["inputRequests"], "the same as long as it is not answered"
        (key, question), = task["inputRequests"].items()
        assert question["params"]["message"] == f"legacy: Really {number}?" and upstream.last not in json.dumps(task)
        assert "_meta" not in question["params"]
        keys.append(key)
        # What answers nothing changes nothing.
        client.ask("tasks/update", taskId=id, inputResponses={"other": {"action": "accept"}, key: {"action": "perhaps"}})
        said = {"action": "accept", "content": {"yes": bool(number)}, "_meta": {RELATED: {"taskId": "forged"}}}
        answer = client.ask("tasks/update", taskId=id, inputResponses={key: said}).result
        assert {name for name in answer if name != "_meta"} == {"resultType"}
    assert client.outcome(id)["content"][0]["text"] == "ask done"
    assert [answer["content"] for answer in upstream.tasks[upstream.last]["answers"]] == [{"yes": False}, {"yes": True}]
    assert len(set(keys)) == 2
    assert client.ask("tasks/update", taskId=id, inputResponses={keys[0]: said}).result["resultType"] == "complete"


def test_a_modern_client_that_never_answers_frees_its_task_and_keeps_no_more_of_them_than_it_may(workshop):
    upstream = TaskUpstream("legacy")
    workshop.stack.callback(upstream.stop)
    servers = {"team": {"names": "plain", "tools": ["up.*"], "new_tools": "show"}}
    limits = {"answer_time": "1s", "parked_calls_per_caller": 1}
    gateway = workshop.gateway(workshop.configuration({"up": {"url": upstream.url}}, servers, limits=limits))
    client = TaskClient(gateway.url("team"), MODERN)
    client.capabilities = {**DECLARED, "elicitation": {}}
    first, second = client.create("ask")["taskId"], client.create("ask")["taskId"]
    assert client.look(first)["inputRequests"]
    error = client.ask("tasks/get", taskId=second).error
    assert error["code"] == -32603 and "Too many tasks" in error["message"]
    assert client.outcome(first)["content"][0]["text"] == "ask done", "the upstream has heard that nobody answers"
    assert all("in time" in answer["message"] for answer in next(iter(upstream.tasks.values()))["answers"])
    assert eventually(lambda: client.ask("tasks/get", taskId=second).answer().get("result"), what="room")["inputRequests"]


def test_a_legacy_task_that_asks_a_modern_client_which_can_answer_nothing_goes_on_without_it(direct):
    client, upstream = direct(MODERN, "legacy")
    id = client.create("ask")["taskId"]

    def ended():
        task = client.look(id)
        assert task["status"] != "input_required" and "inputRequests" not in task, "it may not need what it doesn't say"
        return task["status"] == "completed" and task
    assert eventually(ended, what="the end")["result"]["content"][0]["text"] == "ask done"
    assert all("code" in answer for answer in upstream.tasks[upstream.last]["answers"]), "the upstream has heard it"


def test_what_a_legacy_task_asks_is_shown_to_no_modern_client_that_can_not_answer_it(direct):
    client, upstream = direct(MODERN, "legacy")
    client.capabilities = {**DECLARED, "elicitation": {}}
    id = client.create("ask")["taskId"]
    eventually(lambda: asking(client, id, []), what="the question")
    client.capabilities = DECLARED
    error = client.ask("tasks/get", taskId=id).error
    assert error["code"] == -32021 and error["data"] == {"requiredCapabilities": {"elicitation": {"form": {}}}}
    client.capabilities = {**DECLARED, "elicitation": {}}
    assert client.look(id)["inputRequests"], "it is still open"


def asking(client, id, known):
    task = client.look(id)
    return task if set(task.get("inputRequests", {})) - set(known) else None


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_a_task_asks_a_legacy_client_while_it_waits_for_the_result(direct, era):
    client, upstream = direct(LEGACY, era)
    client.wire.initialize({"elicitation": {}})
    if era == "legacy":
        id = client.create("ask")["taskId"]
    else:
        # A legacy client makes no task there, and follows one all the same.
        modern, _ = direct(MODERN, era)
        id = modern.create("ask")["taskId"]
    assert client.look(id)["status"] == "input_required"
    stream = client.wire.call("tasks/result", {"taskId": id}, id="result")
    for number in range(2 if era == "legacy" else 1):
        question = stream.until(lambda m: m.get("method") == "elicitation/create")
        assert question["params"]["message"].startswith(f"{era}: Really")
        assert question["params"]["_meta"] == {RELATED: {"taskId": id}}
        said = {"action": "accept", "content": {"yes": True}, "_meta": {RELATED: {"taskId": id}}}
        client.wire.post({"jsonrpc": "2.0", "id": question["id"], "result": said})
        stream.messages.clear()
    assert stream.result["content"][0]["text"] == "ask done"
    answers = upstream.tasks[upstream.last]["answers"]
    if era == "modern":
        assert answers == {"q1": {"action": "accept", "content": {"yes": True}}}


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_a_client_that_knows_no_tasks_is_asked_in_its_call(direct, era):
    client, upstream = direct("2025-06-18", era)
    client.wire.initialize({"elicitation": {}})
    stream = client.wire.call("tools/call", {"name": "must_ask", "arguments": {}})
    for _ in range(2 if era == "legacy" else 1):
        question = stream.until(lambda m: m.get("method") == "elicitation/create")
        assert RELATED not in question["params"].get("_meta", {})
        client.wire.post({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"yes": True}}})
        stream.messages.clear()
    assert stream.result["content"][0]["text"] == "must_ask done"


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_a_legacy_client_that_can_answer_nothing_hears_so(direct, era):
    client, upstream = direct(LEGACY, era)
    error = client.ask("tools/call", name="must_ask", arguments={}).answer()
    if era == "modern":
        assert error["error"]["code"] == -32603 and "can't answer" in error["error"]["message"]
        eventually(lambda: upstream.tasks[upstream.last]["status"] == "cancelled", what="the task's end")
    else:
        # It hears of each question that nobody can be asked.
        assert [answer["code"] for answer in upstream.tasks[upstream.last]["answers"]] == [-32601, -32601]


def test_a_task_does_not_ask_a_client_what_it_did_not_declare(direct):
    client, _ = direct(MODERN, "modern")
    id = client.create("ask")["taskId"]
    error = client.ask("tasks/get", taskId=id).error
    assert error["code"] == -32021 and error["data"]["requiredCapabilities"] == {"elicitation": {"form": {}}}


@pytest.mark.parametrize("responses", [None, [], "x"])
def test_an_update_without_answers_is_refused(direct, responses):
    client, _ = direct(MODERN, "modern")
    id = client.create("ask")["taskId"]
    params = {} if responses is None else {"inputResponses": responses}
    assert client.ask("tasks/update", taskId=id, **params).error["code"] == -32602


# Attacks

def test_a_foreign_or_forged_id_is_one_that_does_not_exist(servers, cell):
    client, upstream = cell
    gateway, _ = servers
    raw = upstream.last if upstream.tasks else "upstream-task-1"
    home = TaskClient(gateway.url("legacy"), client.revision)
    good = home.create("slow")["taskId"]
    elsewhere = TaskClient(gateway.url("other"), client.revision)
    methods = ("tasks/get", "tasks/cancel") + (("tasks/update",) if client.revision == MODERN else ("tasks/result",))
    seen = set()
    for method in methods:
        for id in (raw, "", "x" * 7000, good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1], good + "A", good[:40]):
            seen.add(json.dumps(client.ask(method, taskId=id, inputResponses={}).error))
        # Another virtual server of the same upstream.
        seen.add(json.dumps(elsewhere.ask(method, taskId=good, inputResponses={}).error))
    assert len(seen) == 1 and json.loads(seen.pop()) == {"code": -32602, "message": "Invalid params: task not found"}
    assert home.look(good)["taskId"] == good


def test_an_id_that_stands_twice_or_is_no_text_is_refused(direct):
    client, upstream = direct(MODERN, "modern")
    id = client.create("slow")["taskId"]
    raw = upstream.last
    assert client.ask("tasks/get", taskId=5).error["code"] == -32602
    assert client.ask("tasks/get").error["code"] == -32602
    meta = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": DECLARED}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"taskId": id, "_meta": meta}}
    body = json.dumps(message).replace('"taskId"', f'"task\\u0049d": "{raw}", "taskId"').encode()
    assert client.wire.post(message, body=body).answer()["error"]["code"] == -32602


def test_a_header_that_names_another_task_is_refused(direct):
    client, _ = direct(MODERN, "modern")
    id = client.create("slow")["taskId"]
    params = {"taskId": id}
    for headers in ({"Mcp-Name": "another"}, {"Mcp-Name": None}):
        assert client.wire.call("tasks/get", params, headers=headers, capabilities=DECLARED).error["code"] == -32020


def test_an_escaped_task_member_makes_no_task(direct):
    client, upstream = direct("2025-06-18", "legacy")
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "slow", "arguments": {}, "task": {}}}
    body = json.dumps(message).replace('"task"', '"t\\u0061sk"').encode()
    assert client.wire.post(message, body=body).answer()["result"]["content"][0]["text"] == "slow at once"


def test_asking_to_be_told_of_tasks_needs_the_extension(direct):
    client, _ = direct(MODERN, "modern")
    notifications = {"taskIds": ["x"]}
    error = client.wire.call("subscriptions/listen", {"notifications": notifications}, capabilities={}).error
    assert error["code"] == -32021 and error["data"]["requiredCapabilities"] == DECLARED
    with client.wire.call("subscriptions/listen", {"notifications": notifications}, capabilities=DECLARED) as stream:
        assert "taskIds" not in stream.next()["params"]["notifications"]


# Across eras, and over time

def test_a_task_of_one_era_is_followed_in_the_other(direct):
    modern, upstream = direct(MODERN, "modern")
    legacy, _ = direct(LEGACY, "modern")
    id = modern.create("slow")["taskId"]
    task = legacy.look(id)
    assert task["taskId"] == id and task["ttl"] == 60000 and not {"ttlMs", "result", "resultType"} & set(task)
    result = legacy.ask("tasks/result", taskId=id).result
    assert result["content"][0]["text"] == "slow done" and result["_meta"][RELATED] == {"taskId": id}
    assert legacy.look(id)["status"] == "completed" and "result" not in legacy.look(id)
    assert legacy.ask("tasks/cancel", taskId=id).error["code"] == -32602
    flawed = modern.create("flawed")["taskId"]
    assert legacy.ended(flawed)["status"] == "failed"
    running = modern.create("slow")["taskId"]
    assert legacy.ask("tasks/cancel", taskId=running).result["status"] == "cancelled"
    assert "error" in legacy.ask("tasks/result", taskId=running).answer()


def test_an_id_is_good_after_a_restart(workshop):
    upstream = TaskUpstream("legacy", holds=True)
    workshop.stack.callback(upstream.stop)
    servers = {"team": {"names": "plain", "tools": ["up.*"], "new_tools": "show"}}
    configuration = workshop.configuration({"up": {"url": upstream.url}}, servers)
    gateway = workshop.gateway(configuration)
    id = TaskClient(gateway.url("team"), LEGACY).create("slow")["taskId"]
    gateway.stop()
    gateway = workshop.gateway(configuration)
    upstream.finish(upstream.last)
    client = TaskClient(gateway.url("team"), LEGACY)
    assert client.look(id)["status"] == "completed"
    assert client.outcome(id)["content"][0]["text"] == "slow done"


def test_the_command_line_waits_for_a_task(workshop):
    upstream = TaskUpstream("legacy")
    workshop.stack.callback(upstream.stop)
    servers = {"team": {"names": "plain", "tools": ["up.*"], "new_tools": "show"}}
    configuration = workshop.configuration({"up": {"url": upstream.url}}, servers)
    done = configuration.run("call", "--server", "team", "must")
    assert done.returncode == 0 and "must done" in done.stdout


def test_a_task_that_nobody_waits_for_any_more_is_cancelled(workshop):
    upstream = TaskUpstream("legacy", holds=True)
    workshop.stack.callback(upstream.stop)
    servers = {"team": {"names": "plain", "tools": ["up.*"], "new_tools": "show"}}
    gateway = workshop.gateway(workshop.configuration({"up": {"url": upstream.url}}, servers))
    client = TaskClient(gateway.url("team"), LEGACY)

    def call():
        with contextlib.suppress(Exception):
            client.wire.call("tools/call", {"name": "must", "arguments": {}}, id="gone").answer()

    waiting = threading.Thread(target=call)
    waiting.start()
    eventually(lambda: upstream.received("tasks/result"), what="the wait")
    client.wire.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "gone"}})
    eventually(lambda: upstream.tasks[upstream.last]["status"] == "cancelled", what="the task's end")
    waiting.join()


def test_a_question_before_the_task_is_answered_by_a_retry(workshop):
    def respond(handler, message):
        params = message["params"]
        if "inputResponses" not in params:
            result = {"resultType": "input_required", "inputRequests": {"name": QUESTION}, "requestState": "round-1"}
        else:
            assert params["requestState"] == "round-1" and params["inputResponses"]["name"]["action"] == "accept"
            result = {"resultType": "task", "taskId": "upstream-task", "status": "working", "createdAt": "2026-11-21T10:00:00Z",
                      "lastUpdatedAt": "2026-11-21T10:00:00Z", "ttlMs": None}
        handler.answer(200, json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode())

    _, gateway = workshop.serve_raw(tools='[{"name":"t","inputSchema":{"type":"object"}}]', respond=respond)
    client = TaskClient(gateway.url("team"), MODERN)
    client.capabilities = {**DECLARED, "elicitation": {}}
    first = client.ask("tools/call", name="t", arguments={}).result
    assert first["resultType"] == "input_required" and "taskId" not in first
    answers = {"name": {"action": "accept", "content": {"yes": True}}}
    state = first["requestState"]
    second = client.ask("tools/call", name="t", arguments={}, inputResponses=answers, requestState=state).result
    assert second["resultType"] == "task" and second["taskId"] != "upstream-task" and not {"requestState", "inputRequests"} & set(second)


def test_a_task_for_a_client_that_knows_none_is_no_answer(workshop):
    def respond(handler, message):
        result = {"resultType": "task", "taskId": "upstream-task", "status": "working", "createdAt": "c", "lastUpdatedAt": "u", "ttlMs": None}
        handler.answer(200, json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode())

    _, gateway = workshop.serve_raw(tools='[{"name":"t","inputSchema":{"type":"object"}}]', respond=respond)
    error = Wire(gateway.url("team")).call("tools/call", {"name": "t", "arguments": {}}).error
    assert error["code"] == -32603 and "not valid MCP" in error["message"] and "upstream-task" not in error["message"]


# Whose it is, and what of it is recorded

class Office:
    """A gateway whose callers have keys, and roles that a test may change."""

    def __init__(self, workshop, roles, **more):
        self.upstream = TaskUpstream("legacy")
        workshop.stack.callback(self.upstream.stop)
        self.server = {"names": "plain", "tools": ["up.*"], "new_tools": "show"}
        self.configuration = workshop.configuration(
            {"up": {"url": self.upstream.url}}, {"team": {**self.server, "roles": roles}}, identity={"keys_file": "keys.yaml"}, **more)
        self.keys = {name: self.configuration.run("key", "new", name).stdout.strip() for name in ("alice", "bob")}
        self.gateway = workshop.gateway(self.configuration)

    def client(self, name, revision=MODERN):
        return TaskClient(self.gateway.url("team"), revision, {"Authorization": f"Bearer {self.keys[name]}"})

    def change(self, roles):
        self.configuration.write_server("team", {**self.server, "roles": roles})
        self.gateway.reload()


ALL = {"all": {"who": ["everyone"], "allow": ["*"]}}


@pytest.mark.parametrize("revision", [LEGACY, MODERN])
def test_another_callers_task_does_not_exist(workshop, revision):
    office = Office(workshop, ALL, audit={"file": "audit.jsonl"})
    alice, bob = office.client("alice", revision), office.client("bob", revision)
    id = alice.create("slow", x="secret")["taskId"]
    unknown = bob.ask("tasks/get", taskId="none").error
    for method in ("tasks/get", "tasks/cancel") + (("tasks/update",) if revision == MODERN else ("tasks/result",)):
        assert bob.ask(method, taskId=id, inputResponses={}).error == unknown
    # Another key of hers goes on with it, whatever the era.
    second = office.configuration.run("key", "new", "alice").stdout.strip()
    wire = Wire(office.gateway.url("team"), MODERN, {"Authorization": f"Bearer {second}"})
    eventually(lambda: wire.call("tools/list").status == 200, what="the key is known")
    assert wire.call("tasks/get", {"taskId": id}, capabilities=DECLARED).result["taskId"] == id
    assert alice.ended(id)["status"] == "completed"

    def recorded():
        lines = (office.configuration.folder / "audit.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        return events if any(e.get("client") == "alice" and e.get("method") == "tasks/get" and e["outcome"] == "allowed" for e in events) else None
    events = eventually(recorded, what="the events")
    created = next(e for e in events if "method" not in e and e["outcome"] == "allowed")
    assert (created["outcome"], created["tool"], created["client"]) == ("allowed", "slow", "alice")
    looked = next(e for e in events if e.get("method") == "tasks/get" and e["outcome"] == "allowed")
    assert (looked["tool"], looked["upstream"], looked["upstream_tool"]) == ("slow", "up", "slow")
    tried = [e for e in events if e.get("client") == "bob" and e["outcome"] == "denied"]
    assert len(tried) == 3 and all(e["reason"] == "the task belongs to another caller or virtual server" for e in tried)
    assert id not in json.dumps(events) and "secret" not in json.dumps(events)


def test_a_task_is_reached_only_while_its_tool_may_be_used(workshop):
    office = Office(workshop, ALL)
    alice = office.client("alice")
    id = alice.create("slow")["taskId"]
    office.change({"all": {"who": ["everyone"], "allow": ["greet"]}})
    error = eventually(lambda: alice.ask("tasks/get", taskId=id).answer().get("error"), what="the refusal")
    assert error == {"code": -32602, "message": "Invalid params: task not found"}
    office.change(ALL)
    assert eventually(lambda: alice.ask("tasks/get", taskId=id).answer().get("result"), what="the task")["taskId"] == id


def test_where_arguments_decide_the_rules_must_be_those_of_then(workshop):
    office = Office(workshop, {"all": {"who": ["everyone"], "allow": ["slow(x=a|b)", "greet"]}})
    alice = office.client("alice")
    id = alice.create("slow", x="a")["taskId"]
    assert alice.look(id)["taskId"] == id
    office.change({"all": {"who": ["everyone"], "allow": ["slow(x=b)", "greet"]}})
    error = eventually(lambda: alice.ask("tasks/get", taskId=id).answer().get("error"), what="the refusal")
    assert error["code"] == -32602
