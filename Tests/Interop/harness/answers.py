"""What the test clients answer when they are asked something in mid-call: plain JSON, the same for either SDK."""

FORM = {"action": "accept", "content": {"name": "Ada"}}
LINK = {"action": "accept"}
SAMPLE = {"role": "assistant", "model": "test", "content": {"type": "text", "text": "Paris"}, "stopReason": "endTurn"}
ROOTS = {"roots": [{"uri": "file:///home/ada", "name": "home"}]}
# By the names that the toolset has for its questions.
CANNED = {"form": FORM, "link": LINK, "sample": SAMPLE, "tools": SAMPLE, "roots": ROOTS}


def answer(method, params):
    if method == "roots/list":
        return ROOTS
    if method == "sampling/createMessage":
        return SAMPLE
    return LINK if params.get("mode") == "url" else FORM
