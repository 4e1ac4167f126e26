"""What the clients of these tests answer when they are asked; needs no SDK."""

ANSWERS = {
    "elicitation/create": {"action": "accept", "content": {"name": "Alice"}},
    "sampling/createMessage": {
        "role": "assistant", "content": {"type": "text", "text": "This is a test response"}, "model": "test-model", "stopReason": "endTurn"},
    "roots/list": {"roots": [{"uri": "file:///test/root", "name": "Test Root"}]},
}

SAMPLES = {"string": "my {}", "integer": 3, "number": 3, "boolean": True}


def answer(method, params):
    """Says yes to an address, and fills in a form with `my NAME` and the like."""
    if method != "elicitation/create":
        return ANSWERS[method]
    if params.get("mode") == "url":
        return {"action": "accept"}
    fields = params["requestedSchema"]["properties"]
    content = {}
    for name in params["requestedSchema"].get("required", fields):
        value = SAMPLES.get(fields[name].get("type"), "my {}")
        content[name] = value.format(name) if isinstance(value, str) else value
    return {"action": "accept", "content": content}


# By the names that the toolset has for its questions.
CANNED = {
    "form": {"action": "accept", "content": {"name": "my name"}}, "link": {"action": "accept"}, "sample": ANSWERS["sampling/createMessage"],
    "tools": ANSWERS["sampling/createMessage"], "roots": ANSWERS["roots/list"],
}
