"""The published JSON schemas, as a check that every message received must pass."""

import functools
import json
import pathlib

import jsonschema

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "fixtures" / "spec"
LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = "2026-07-28"
TASKS = "tasks-extension"

RESULTS = {
    "initialize": "InitializeResult",
    "ping": "EmptyResult",
    "logging/setLevel": "EmptyResult",
    "resources/subscribe": "EmptyResult",
    "resources/unsubscribe": "EmptyResult",
    "server/discover": "DiscoverResult",
    "subscriptions/listen": "SubscriptionsListenResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
    "prompts/list": "ListPromptsResult",
    "prompts/get": "GetPromptResult",
    "resources/list": "ListResourcesResult",
    "resources/templates/list": "ListResourceTemplatesResult",
    "resources/read": "ReadResourceResult",
    "completion/complete": "CompleteResult",
    "tasks/get": "GetTaskResult",
    "tasks/result": "CallToolResult",
    "tasks/cancel": "CancelTaskResult",
    "tasks/update": "UpdateTaskResult",
}

ANSWERS = {"elicitation/create": "ElicitResult", "sampling/createMessage": "CreateMessageResult", "roots/list": "ListRootsResult"}

ERRORS = {
    -32700: "ParseError", -32600: "InvalidRequestError", -32601: "MethodNotFoundError", -32602: "InvalidParamsError",
    -32603: "InternalError", -32020: "HeaderMismatchError", -32021: "MissingRequiredClientCapabilityError",
    -32022: "UnsupportedProtocolVersionError",
}


@functools.cache
def document(revision):
    return json.loads((FOLDER / revision / "schema.json").read_text())


@functools.cache
def validator(revision, name):
    schema = document(revision)
    kind = "$defs" if "$defs" in schema else "definitions"
    if name not in schema[kind]:
        return None
    return jsonschema.validators.validator_for(schema)({**schema, "$ref": f"#/{kind}/{name}"})


def require(revision, name, value):
    checker = validator(revision, name)
    assert checker is not None, f"{revision} knows no {name}"
    error = jsonschema.exceptions.best_match(checker.iter_errors(value))
    assert error is None, f"not a {name} of {revision}: {error.message} at {list(error.absolute_path)} in {json.dumps(value)[:600]}"


def check(message, revision, method=None):
    """Asserts that a message from the server is one that `revision` allows; `method` is that of the request it answers."""
    if isinstance(message, list):
        assert revision == "2025-03-26", f"{revision} has no batches"
        for one in message:
            check(one, revision)
        return
    assert isinstance(message, dict) and message.get("jsonrpc") == "2.0", message
    if "method" in message:
        if "id" in message:
            assert revision != MODERN, f"a request from the server: {message}"
            require(revision, "ServerRequest", message)
            require(revision, "JSONRPCRequest", message)
        else:
            require(revision, "JSONRPCNotification", message)
            if revision == MODERN and message["method"] == "notifications/tasks":
                require(TASKS, "TaskStatusNotification", message)
            elif not (revision == MODERN and message["method"] == "notifications/cancelled"):
                require(revision, "ServerNotification", message)
    elif "error" in message:
        require(revision, "JSONRPCErrorResponse" if revision >= "2025-11-25" else "JSONRPCError", message)
        name = ERRORS.get(message["error"]["code"])
        if revision == MODERN and name:
            # Some of these describe the whole response, the others only its error member.
            whole = "jsonrpc" in document(revision)["$defs"][name].get("properties", {})
            require(revision, name, message if whole else message["error"])
    else:
        require(revision, "JSONRPCResultResponse" if revision >= "2025-11-25" else "JSONRPCResponse", message)
        result = message["result"]
        if revision == MODERN and result.get("resultType") == "input_required":
            require(revision, "InputRequiredResult", result)
        elif revision == MODERN and result.get("resultType") == "task":
            require(TASKS, "CreateTaskResult", result)
        elif revision == MODERN and (method or "").startswith("tasks/"):
            require(TASKS, RESULTS[method], result)
        elif method == "tools/call" and revision == "2025-11-25" and "task" in result:
            require(revision, "CreateTaskResult", result)
        elif method in RESULTS:
            require(revision, RESULTS[method], result)


def check_sent(message, revision, method=None):
    """Asserts that a message from a client is one that `revision` allows; `method` is that of the question it answers."""
    assert isinstance(message, dict) and message.get("jsonrpc") == "2.0", message
    if "method" in message:
        require(revision, "ClientRequest" if "id" in message else "ClientNotification", message)
        require(revision, "JSONRPCRequest" if "id" in message else "JSONRPCNotification", message)
        if revision == MODERN and "id" in message:
            require(revision, "RequestMetaObject", message["params"]["_meta"])
    elif "error" in message:
        require(revision, "JSONRPCErrorResponse" if revision >= "2025-11-25" else "JSONRPCError", message)
    else:
        assert revision != MODERN, f"a response from a modern client: {message}"
        require(revision, "JSONRPCResultResponse" if revision >= "2025-11-25" else "JSONRPCResponse", message)
        require(revision, ANSWERS.get(method, "ClientResult"), message["result"])
