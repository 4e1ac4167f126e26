"""Scenarios tools-list and tools-call-*."""

import re

from harness.schemas import MODERN

from .registry import LEGACY, scenario


@scenario("tools-list")
def tools_list(case):
    tools = case.peer.ask("tools/list").result["tools"]
    assert isinstance(tools, list) and tools
    for tool in tools:
        assert tool["name"] and tool["description"] and tool["inputSchema"], tool
        assert re.fullmatch(r"[A-Za-z0-9_./-]{1,64}", tool["name"]), tool["name"]


def parts(case, name, kind):
    content = case.peer.call(name).result["content"]
    assert isinstance(content, list) and content
    return [part for part in content if part["type"] == kind]


@scenario("tools-call-simple-text")
def simple_text(case):
    # Without `arguments`, which the tool's schema does not ask for.
    content = case.peer.ask("tools/call", {"name": "test_simple_text"}).result["content"]
    assert [part["text"] for part in content if part["type"] == "text"] == ["This is a simple text response for testing."]


@scenario("tools-call-image")
def image(case):
    part, = parts(case, "test_image_content", "image")
    assert part["data"] and part["mimeType"] == "image/png"


@scenario("tools-call-audio")
def audio(case):
    part, = parts(case, "test_audio_content", "audio")
    assert part["data"] and part["mimeType"] == "audio/wav"


@scenario("tools-call-embedded-resource")
def embedded_resource(case):
    part, = parts(case, "test_embedded_resource", "resource")
    assert part["resource"]["uri"] and part["resource"]["mimeType"] and (part["resource"].get("text") or part["resource"].get("blob"))


@scenario("tools-call-mixed-content")
def mixed_content(case):
    content = case.peer.call("test_multiple_content_types").result["content"]
    assert len(content) >= 2 and {part["type"] for part in content} >= {"text", "image", "resource"}


@scenario("tools-call-error")
def error(case):
    result = case.peer.call("test_error_handling").result
    assert result["isError"] is True and result["content"][0]["text"]


@scenario("tools-call-with-progress")
def progress(case):
    answer = case.peer.call("test_tool_with_progress", progressToken="progress-test-1")
    said = [m["params"] for m in answer.notifications if m["method"] == "notifications/progress"]
    steps = [params["progress"] for params in said if params["progressToken"] == "progress-test-1"]
    assert len(steps) >= 3 and steps == sorted(steps)
    assert answer.result["content"]


@scenario("tools-call-with-logging", [LEGACY])
def logging(case):
    assert case.peer.ask("logging/setLevel", {"level": "debug"}).result == {}
    answer = case.peer.call("test_tool_with_logging")
    assert len([m for m in answer.notifications if m["method"] == "notifications/message"]) >= 3
    assert answer.result["content"]


@scenario("tools-call-sampling", [LEGACY], needs="questions")
def asks_for_sampling(case):
    answer = case.peer.call("test_sampling", {"prompt": "Test prompt for sampling"})
    question, = answer.questions
    assert question["method"] == "sampling/createMessage"
    assert question["params"]["messages"][0]["content"] == {"type": "text", "text": "Test prompt for sampling"}
    assert answer.result["content"][0]["text"] == "LLM response: This is a test response"


@scenario("tools-call-elicitation", [LEGACY], needs="questions")
def asks_a_person(case):
    given = {"action": "accept", "content": {"username": "testuser", "email": "test@example.com"}}
    peer = case.open(answers={"elicitation/create": given})
    answer = peer.call("test_elicitation", {"message": "Please provide your information"})
    question, = answer.questions
    assert question["method"] == "elicitation/create" and "Please provide your information" in question["params"]["message"]
    assert set(question["params"]["requestedSchema"]["properties"]) == {"username", "email"}
    assert "testuser" in answer.result["content"][0]["text"]


@scenario("server-sse-multiple-streams", [LEGACY, MODERN])
def multiple_streams(case):
    """Three requests at once, each with a reply or a stream of its own; all are open before the first is read."""
    peer = case.peer
    replies = [peer.start("tools/list", id=1000 + n) for n in range(3)]
    calls = [peer.start("tools/call", {"name": "test_tool_with_progress", "arguments": {}}, id=2000 + n, progressToken=n) for n in range(3)]
    assert [reply.status for reply in replies + calls] == [200] * 6
    assert [reply.answer()["id"] for reply in replies + calls] == [1000, 1001, 1002, 2000, 2001, 2002]
    for n, call in enumerate(calls):
        tokens = {m["params"]["progressToken"] for m in call.notifications if m["method"] == "notifications/progress"}
        assert tokens == {n}
