"""The upstream that the official scenarios for tasks ask for."""

from .tasks import TaskUpstream, text

NAME = {"type": "object", "properties": {"name": {"type": "string"}}}
CONFIRM = {"type": "object", "properties": {"confirm": {"type": "boolean"}}}


def form(message, schema):
    return {"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}}


class SuiteTaskUpstream(TaskUpstream):
    """`slow_compute` takes as many looks as it has `seconds`; with 60 it has not ended when it is cancelled."""

    support = {
        "greet": None, "slow_compute": "optional", "failing_job": "required", "protocol_error_job": "optional", "confirm_delete": "optional",
        "multi_input": "optional", "test_tool_with_task": "optional"}
    breaks = {"protocol_error_job"}
    questions = {
        "confirm_delete": {"q1": form("Delete it?", CONFIRM)},
        "multi_input": {"q1": form("What is your name?", NAME), "q2": form("Are you sure?", CONFIRM)},
    }

    def call(self, handler, message):
        params = message["params"]
        if params["name"] == "test_tool_with_task" and "inputResponses" not in params:
            return self.say(handler, message, {
                "resultType": "input_required", "requestState": "round-1", "inputRequests": {"user_name": form("What is your name?", NAME)}})
        super().call(handler, message)

    def at_once(self, name, arguments):
        return f"Hello, {arguments['name']}!" if name == "greet" else f"{name} at once"

    def outcome(self, task):
        if task["name"] == "failing_job":
            return text("the job went wrong", isError=True)
        return text(f"{task['name']} done: {task['answers']}")
