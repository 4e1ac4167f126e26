"""Scenarios tasks-*, of the extension. tasks-status-notifications is one that the suite skips."""

import datetime

from harness.tasks import DECLARED, EXTENSION, RELATED
from harness.wire import Wire

from .registry import task_scenario

ENDED = ("completed", "failed", "cancelled")
DETAILS = {"taskId", "status", "result", "error", "inputRequests"}


class Client:
    def __init__(self, url, capabilities=None):
        self.wire = Wire(url)
        self.capabilities = {**DECLARED, "elicitation": {}, "sampling": {}} if capabilities is None else capabilities

    def reply(self, method, headers=None, **params):
        return self.wire.call(method, params, headers=headers, capabilities=self.capabilities)

    def ask(self, method, **params):
        return self.reply(method, **params).result

    def refused(self, method, **params):
        return self.reply(method, **params).error["code"]

    def call(self, name, /, **arguments):
        return self.ask("tools/call", name=name, arguments=arguments)

    def create(self, name, /, **arguments):
        task = self.call(name, **arguments)
        assert task["resultType"] == "task" and task["taskId"] and task["status"], task
        assert not {"task", "result", "error", "inputRequests", "requestState", "ttl", "pollInterval"} & set(task)
        for moment in ("createdAt", "lastUpdatedAt"):
            datetime.datetime.fromisoformat(task[moment])
        return task

    def get(self, id, *statuses):
        """The task, when it has one of these statuses."""
        for _ in range(20):
            task = self.ask("tasks/get", taskId=id)
            assert task["taskId"] == id and task["resultType"] == "complete" and not {"requestState", "task"} & set(task)
            if not statuses or task["status"] in statuses:
                return task
        raise AssertionError(f"never {statuses}: {task}")

    def ended(self, id):
        return self.get(id, *ENDED)

    def acknowledged(self, method, **params):
        answer = self.ask(method, **params)
        assert answer["resultType"] == "complete" and not DETAILS & set(answer), answer


@task_scenario("tasks-lifecycle")
def lifecycle(url):
    client = Client(url)
    at_once = client.call("greet", name="World")
    assert at_once["resultType"] == "complete" and "taskId" not in at_once and at_once["content"]

    task = client.create("slow_compute", seconds=2, label="lifecycle-create")
    assert client.get(task["taskId"])["status"]
    done = client.ended(task["taskId"])
    assert done["status"] == "completed" and done["result"]["content"] and "error" not in done

    flawed = client.ended(client.create("failing_job")["taskId"])
    assert flawed["status"] == "completed" and flawed["result"]["isError"] is True
    broken = client.ended(client.create("protocol_error_job")["taskId"])
    assert broken["status"] == "failed" and "result" not in broken
    assert isinstance(broken["error"]["code"], int) and isinstance(broken["error"]["message"], str)

    running = client.create("slow_compute", seconds=60)["taskId"]
    client.acknowledged("tasks/cancel", taskId=running)
    assert client.ended(running)["status"] == "cancelled"
    finished = client.create("slow_compute", seconds=1)["taskId"]
    client.ended(finished)
    client.acknowledged("tasks/cancel", taskId=finished)


@task_scenario("tasks-capability-negotiation")
def capabilities(url):
    client, without = Client(url), Client(url, {})
    offered = client.ask("server/discover")["capabilities"]
    assert "tasks" not in offered and offered["extensions"][EXTENSION] == {}
    for method, more in (("tasks/get", {}), ("tasks/update", {"inputResponses": {}}), ("tasks/cancel", {})):
        assert without.refused(method, taskId="gate-test", **more) == -32021
    result = without.call("slow_compute", seconds=0, label="capability-no-ext")
    assert result["resultType"] == "complete" and result["content"] and not {"taskId", "task"} & set(result)
    opted = Client(url, DECLARED).create("slow_compute", seconds=1, label="capability-meta-opt")
    client.acknowledged("tasks/cancel", taskId=opted["taskId"])


@task_scenario("tasks-wire-fields")
def fields(url):
    client = Client(url, DECLARED)
    created = client.create("slow_compute", seconds=1, label="wire-fields")
    ended = client.ended(created["taskId"])
    for task in (created, ended):
        assert task["ttlMs"] is None or type(task["ttlMs"]) is int and task["ttlMs"] > 0
        assert "pollIntervalMs" not in task or type(task["pollIntervalMs"]) is int and task["pollIntervalMs"] > 0
        assert not {"ttl", "pollInterval"} & set(task)
    # It stays for as long as was said.
    assert client.get(created["taskId"])["status"] == "completed"
    assert RELATED not in ended["result"].get("_meta", {})


@task_scenario("tasks-request-state-removal")
def request_state(url):
    """`create` and `get` look for it each time."""
    client = Client(url, DECLARED)
    id = client.create("slow_compute", seconds=60, label="request-state-removal")["taskId"]
    assert client.get(id)["status"] == "working"
    client.acknowledged("tasks/cancel", taskId=id)
    assert client.get(id)["status"] == "cancelled"


@task_scenario("tasks-mrtr-input", modern_only=True)
def questions(url):
    client = Client(url)
    id = client.create("confirm_delete", filename="mrtr-input.txt")["taskId"]
    asked = client.get(id, "input_required")["inputRequests"]
    assert asked and all(question["method"] == "elicitation/create" for question in asked.values())
    client.acknowledged("tasks/cancel", taskId=id)

    id = client.create("confirm_delete", filename="mrtr-resume.txt")["taskId"]
    asked = client.get(id, "input_required")["inputRequests"]
    client.acknowledged("tasks/update", taskId=id, inputResponses={key: {"action": "accept", "content": {"confirm": True}} for key in asked})
    assert client.ended(id)["status"] == "completed"

    id = client.create("multi_input")["taskId"]
    first, second = client.get(id, "input_required")["inputRequests"]
    answer = {"action": "accept", "content": {"name": "partial-1", "confirm": True}}
    client.acknowledged("tasks/update", taskId=id, inputResponses={first: answer})
    task = client.get(id)
    assert task["status"] == "input_required" and list(task["inputRequests"]) == [second]
    client.acknowledged("tasks/update", taskId=id, inputResponses={second: answer})
    assert client.ended(id)["status"] == "completed"


@task_scenario("tasks-request-headers")
def headers(url):
    client = Client(url, DECLARED)
    greet = {"name": "greet", "arguments": {"name": "sep-2243"}}
    result = client.reply("tools/call", headers={"Mcp-Method": "tools/call"}, **greet).result
    assert result["resultType"] == "complete" and result["content"][0]["text"] == "Hello, sep-2243!"
    id = client.create("slow_compute", seconds=60, label="headers-tasks-get")["taskId"]
    got = client.reply("tasks/get", headers={"Mcp-Method": "tasks/get", "Mcp-Name": id}, taskId=id).result
    assert got["taskId"] == id and got["status"]
    # What the suite wants of one request goes for each that names a task.
    wrong = [("tools/call", {"Mcp-Method": "tasks/get"}, greet)]
    wrong += [("tasks/get", change, {"taskId": id}) for change in (
        {"Mcp-Name": "another"}, {"Mcp-Name": None}, {"Mcp-Method": None}, {"Mcp-Method": "tasks/cancel"})]
    wrong += [(method, {"Mcp-Name": "another"}, {"taskId": id, "inputResponses": {}}) for method in ("tasks/update", "tasks/cancel")]
    for method, change, params in wrong:
        reply = client.reply(method, headers=change, **params)
        assert (reply.status, reply.error["code"]) == (400, -32020), (method, change)
    client.acknowledged("tasks/cancel", taskId=id)


@task_scenario("tasks-dispatch-and-envelope")
def dispatch(url):
    client = Client(url)
    for method in ("tasks/result", "tasks/list"):
        for headers in ({}, {"Mcp-Name": None}):
            reply = client.reply(method, headers=headers, taskId="any")
            assert (reply.status, reply.error["code"]) == (404, -32601)
    # No word of the client's makes a task, nor is one needed.
    client.ended(client.create("failing_job")["taskId"])
    result = client.ask("tools/call", name="greet", arguments={"name": "legacy-hint"}, task={"ttl": 60_000, "pollInterval": 100})
    assert result["resultType"] == "complete" and "taskId" not in result and result["content"]

    quick = client.call("slow_compute", seconds=0, label="instant")
    assert quick["taskId"] if quick["resultType"] == "task" else quick["content"]

    id = client.create("slow_compute", seconds=60, label="consistency")["taskId"]
    assert client.get(id)["taskId"] == id
    client.acknowledged("tasks/cancel", taskId=id)
    for method, more in (("tasks/get", {}), ("tasks/update", {"inputResponses": {}}), ("tasks/cancel", {})):
        assert client.refused(method, taskId="tasks-conformance-nonexistent-12345", **more) == -32602


@task_scenario("tasks-dispatch-and-envelope, answers that nobody asked for", modern_only=True)
def unknown_answers(url):
    client = Client(url)
    id = client.create("confirm_delete", filename="rt.txt")["taskId"]
    before = client.get(id, "input_required")["inputRequests"]
    client.acknowledged("tasks/update", taskId=id, inputResponses={"unknown-key": {"ignored": True}})
    assert client.get(id)["inputRequests"] == before
    client.acknowledged("tasks/cancel", taskId=id)


@task_scenario("tasks-required-task-error")
def required(url):
    error = Client(url, {}).reply("tools/call", name="failing_job", arguments={}).error
    assert error["code"] == -32021 and error["data"]["requiredCapabilities"]["extensions"][EXTENSION] == {}


@task_scenario("tasks-mrtr-composition", modern_only=True)
def composition(url):
    client = Client(url, {**DECLARED, "elicitation": {}})
    first = client.call("test_tool_with_task")
    assert first["resultType"] == "input_required" and "taskId" not in first
    key, = first["inputRequests"]
    answers = {key: {"action": "accept", "content": {"name": "Alice"}}}
    task = client.ask("tools/call", name="test_tool_with_task", arguments={}, inputResponses=answers, requestState=first["requestState"])
    assert task["resultType"] == "task" and task["taskId"] and not {"requestState", "inputRequests"} & set(task)
    done = client.ended(task["taskId"])
    assert done["status"] == "completed" and "Alice" in done["result"]["content"][0]["text"]
