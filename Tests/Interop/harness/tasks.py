"""An upstream that makes tasks, in either era, without an SDK: a task goes on when a test, or a look at it, says so."""

import itertools
import json
import sys
import threading

from .deadline import PATIENCE
from .raw import RawUpstream
from .upstream import UPSTREAMS

EXTENSION = "io.modelcontextprotocol/tasks"
RELATED = "io.modelcontextprotocol/related-task"
DECLARED = {"extensions": {EXTENSION: {}}}

# name: what a legacy upstream says of tasks
SUPPORT = {"greet": None, "slow": "optional", "must": "required", "failing": "required", "flawed": "optional", "ask": "optional", "must_ask": "required"}
DATES = {"createdAt": "2026-11-21T10:00:00Z", "lastUpdatedAt": "2026-11-21T10:00:01Z"}
QUESTION = {"method": "elicitation/create", "params": {
    "mode": "form", "message": "Really?", "requestedSchema": {"type": "object", "properties": {"yes": {"type": "boolean"}}}}}


def text(said, **more):
    return {"content": [{"type": "text", "text": said}], **more}


class TaskUpstream:
    """`looks` is how often a task is looked at before it has ended; with `holds` it ends by `finish` only."""

    support = SUPPORT
    breaks = {"failing"}
    questions = {"ask": {"q1": QUESTION}, "must_ask": {"q1": QUESTION}}

    def __init__(self, era, looks=1, holds=False):
        self.era, self.looks, self.holds = era, looks, holds
        self.tasks = {}
        self.numbers = itertools.count(1)
        by_hand = {"tools/call": self.call, "tasks/get": self.get, "tasks/cancel": self.cancel}
        if era == "legacy":
            by_hand |= {"initialize": self.initialize, "tasks/result": self.result, "GET": lambda *call: self.raw.listen(*call)}
        else:
            by_hand |= {"server/discover": self.discover, "tasks/update": self.update}
        tools = [{"name": name, "inputSchema": {"type": "object", "properties": {"x": {}}},
                  **({"execution": {"taskSupport": support}} if support and era == "legacy" else {})} for name, support in self.support.items()]
        self.raw = RawUpstream(json.dumps(tools), legacy=era == "legacy", by_hand=by_hand)
        self.url, self.stop = self.raw.url, self.raw.stop

    def settings(self, transport="http"):
        """This upstream's part of gateway.yaml, by streamable HTTP, HTTP+SSE or as a child."""
        if transport == "stdio":
            return {"command": sys.executable, "args": ["-ISB", str(UPSTREAMS / "relay.py"), self.url]}
        return {"url": self.url if transport == "http" else self.raw.sse_url}

    def received(self, method):
        """The messages of that method, with their headers in lower case."""
        return [(json.loads(body), {name.lower(): value for name, value in headers.items()})
                for known, body, headers in self.raw.requests if known == method]

    @property
    def last(self):
        return next(reversed(self.tasks))

    def finish(self, id, status=None):
        task = self.tasks[id]
        if task["status"] not in ("completed", "failed", "cancelled"):
            task["status"] = status or self.end_of(task)
        task["ended"].set()

    def end_of(self, task):
        flawed = self.era == "legacy" and self.outcome(task).get("isError")
        return "failed" if task["name"] in self.breaks or flawed else "completed"

    def announce(self, id, **more):
        """A legacy upstream tells on its stream how a task stands."""
        self.raw.announce({"jsonrpc": "2.0", "method": "notifications/tasks/status", "params": {**self.state(self.tasks[id]), **more}})

    # What it answers

    def say(self, handler, message, result=None, error=None):
        body = {"jsonrpc": "2.0", "id": message["id"], **({"error": error} if error else {"result": result})}
        handler.answer(200, json.dumps(body).encode())

    def initialize(self, handler, message):
        capabilities = {"tools": {}, "tasks": {"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}}}
        self.say(handler, message, {
            "protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": {"name": "raw", "version": "1"}})

    def discover(self, handler, message):
        self.say(handler, message, {
            "resultType": "complete", "ttlMs": 0, "cacheScope": "public", "supportedVersions": ["2026-07-28"],
            "capabilities": {"tools": {}, **DECLARED}})

    def call(self, handler, message):
        params = message["params"]
        name = params["name"]
        if self.era == "legacy":
            wants = "task" in params
            if self.support[name] == "required" and not wants or wants and self.support[name] is None:
                return self.say(handler, message, error={"code": -32601, "message": "not so"})
        else:
            declared = params["_meta"]["io.modelcontextprotocol/clientCapabilities"].get("extensions", {})
            wants = self.support[name] and EXTENSION in declared
            if self.support[name] == "required" and not wants:
                return self.say(handler, message, error={
                    "code": -32021, "message": "Missing required client capability", "data": {"requiredCapabilities": DECLARED}})
        if not wants:
            return self.say(handler, message, self.complete(text(self.at_once(name, params.get("arguments") or {}))))
        id = f"upstream-task-{next(self.numbers)}"
        asked, arguments = self.questions.get(name, {}), params.get("arguments") or {}
        self.tasks[id] = {
            "id": id, "name": name, "status": "input_required" if asked else "working", "asks": dict(asked),
            "answers": params.get("inputResponses", {}), "looks": arguments.get("seconds", self.looks), "ended": threading.Event(), "ttl": 60000}
        state = self.state(self.tasks[id])
        if self.era == "legacy":
            return self.say(handler, message, {"task": state, "_meta": {"io.modelcontextprotocol/model-immediate-response": f"started {id}"}})
        for payload in ("inputRequests", "result", "error"):
            state.pop(payload, None)
        self.say(handler, message, {**state, "resultType": "task", "requestState": "mine"})

    def at_once(self, name, arguments):
        return f"{name} at once"

    def complete(self, result):
        return result if self.era == "legacy" else {**result, "resultType": "complete"}

    def state(self, task):
        shown = {"taskId": task["id"], "status": task["status"], "statusMessage": f"about {task['id']}", **DATES}
        if self.era == "legacy":
            return {**shown, "ttl": task["ttl"], "pollInterval": 100}
        payload = {}
        if task["status"] == "completed":
            payload = {"result": self.outcome(task)}
        elif task["status"] == "failed":
            payload = {"error": self.fault(task)}
        elif task["status"] == "input_required":
            payload = {"inputRequests": task["asks"]}
        return {**shown, "ttlMs": task["ttl"], "pollIntervalMs": 100, **payload}

    def outcome(self, task):
        return text(f"{task['name']} done", **({"isError": True} if task["name"] == "flawed" else {}))

    def fault(self, task):
        return {"code": -32050, "message": f"no luck with {task['id']}"}

    def known(self, handler, message):
        task = self.tasks.get(message["params"]["taskId"])
        if task is None:
            self.say(handler, message, error={"code": -32602, "message": f"no task {message['params']['taskId']}"})
        return task

    def get(self, handler, message):
        if task := self.known(handler, message):
            if task["status"] == "working" and not self.holds:
                task["looks"] -= 1
                if task["looks"] < 0:
                    self.finish(task["id"])
            self.say(handler, message, self.complete(self.state(task)))

    def result(self, handler, message):
        if task := self.known(handler, message):
            if task["status"] == "input_required":
                return self.ask(handler, message, task)
            if not self.holds:
                self.finish(task["id"])
            assert task["ended"].wait(PATIENCE)
            if task["name"] in self.breaks or task["status"] == "cancelled":
                return self.say(handler, message, error=self.fault(task))
            self.say(handler, message, {**self.outcome(task), "_meta": {RELATED: {"taskId": task["id"]}, "vendor": 1}})

    def ask(self, handler, message, task):
        """A legacy upstream asks on the stream of the result, twice, and both times expects to hear of which task the answer is."""
        send = handler.stream()
        task["answers"] = []
        related = {RELATED: {"taskId": task["id"]}}
        for number in range(2):
            question = {"method": QUESTION["method"], "params": {**QUESTION["params"], "message": f"Really {number}?"}}
            answer = self.raw.ask(send, question, **related).get(timeout=PATIENCE)
            task["answers"].append(answer.get("result", answer.get("error")))
            assert "error" in answer or answer["result"]["_meta"] == related, answer
        task["status"] = "working"
        self.finish(task["id"])
        send({"jsonrpc": "2.0", "id": message["id"], "result": {**self.outcome(task), "_meta": related}})

    def cancel(self, handler, message):
        if task := self.known(handler, message):
            if task["ended"].is_set() and self.era == "legacy":
                return self.say(handler, message, error={"code": -32602, "message": f"{task['id']} has ended"})
            self.finish(task["id"], "cancelled")
            self.say(handler, message, self.state(task) if self.era == "legacy" else {"resultType": "complete"})

    def update(self, handler, message):
        if task := self.known(handler, message):
            answers = message["params"]["inputResponses"]
            task["answers"] |= answers
            task["asks"] = {key: question for key, question in task["asks"].items() if key not in answers}
            if not task["asks"] and task["status"] == "input_required":
                task["status"] = "working"
            self.say(handler, message, {"resultType": "complete"})
