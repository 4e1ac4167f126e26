"""Scenarios input-required-result-*: what is asked in mid-call, and the retry.

With an upstream of the other era the gateway makes the rounds: it picks the keys and the state, and an answer makes sense only with the
state that it belongs to. Where the suite sends answers out of the blue, or expects keys by name, that is said at the check.
"""

from harness.schemas import MODERN

from .registry import scenario


def tool(name):
    return {"name": f"test_input_required_result_{name}", "arguments": {}}


def check(name, **how):
    return scenario(f"input-required-result-{name}", [MODERN], needs=("questions", *how.get("needs", ())))


def asked(answer, *methods):
    """The keys of an `input_required` result that asks exactly by these methods."""
    assert answer.result["resultType"] == "input_required", answer.result
    assert [question["method"] for question in answer.asks.values()] == list(methods)
    return list(answer.asks)


def complete(answer):
    assert answer.result["resultType"] == "complete", answer.result
    return answer.result["content"][0]["text"]


@check("basic-elicitation")
def elicitation(case):
    first = case.peer.ask("tools/call", tool("elicitation"))
    key, = asked(first, "elicitation/create")
    assert key == "user_name" or not case.same
    assert "What is your name?" in first.asks[key]["params"]["message"]
    assert complete(case.peer.retry(first, "tools/call", tool("elicitation"))) == "Hello, Alice!"


@check("basic-sampling")
def sampling(case):
    first = case.peer.ask("tools/call", tool("sampling"))
    asked(first, "sampling/createMessage")
    assert "This is a test response" in complete(case.peer.retry(first, "tools/call", tool("sampling")))


@check("basic-list-roots")
def roots(case):
    first = case.peer.ask("tools/call", tool("list_roots"))
    asked(first, "roots/list")
    assert "file:///test/root" in complete(case.peer.retry(first, "tools/call", tool("list_roots")))


def confirming(case):
    return case.open(answers={"elicitation/create": {"action": "accept", "content": {"ok": True}}})


@check("request-state")
def request_state(case):
    peer = confirming(case)
    first = peer.ask("tools/call", tool("request_state"))
    assert isinstance(first.result["requestState"], str) and first.result["requestState"]
    asked(first, "elicitation/create")
    assert "state-ok" in complete(peer.retry(first, "tools/call", tool("request_state")))


@check("multiple-input-requests")
def multiple(case):
    methods = {"elicitation/create", "sampling/createMessage", "roots/list"}
    first = case.peer.ask("tools/call", tool("multiple_inputs"))
    assert first.result["requestState"]
    if case.same:
        assert {question["method"] for question in first.asks.values()} == methods
        answer = case.peer.retry(first, "tools/call", tool("multiple_inputs"))
    else:
        # A legacy server sends its questions one by one and cannot say how many will come: they may take several rounds.
        answer, questions = case.peer.finish("tools/call", tool("multiple_inputs"))
        assert sorted(question["method"] for question in questions) == sorted(methods)
    text = complete(answer)
    assert "Alice" in text and "This is a test response" in text and "file:///test/root" in text


@check("multi-round")
def multi_round(case):
    peer = case.open(answers={"elicitation/create": lambda question: {
        "action": "accept", "content": {name: f"my {name}" for name in question["params"]["requestedSchema"]["properties"]}}})
    first = peer.ask("tools/call", tool("multi_round"))
    asked(first, "elicitation/create")
    second = peer.retry(first, "tools/call", tool("multi_round"))
    asked(second, "elicitation/create")
    assert first.result["requestState"] and second.result["requestState"] not in ("", first.result["requestState"])
    text = complete(peer.retry(second, "tools/call", tool("multi_round")))
    assert "my name" in text and "my color" in text


@check("missing-input-response")
def missing_response(case):
    """Answers to something else are no answers: it is asked again, and no error."""
    wrong = {"wrong_key": {"action": "accept", "content": {"data": "wrong"}}}
    answer = case.peer.ask("tools/call", {**tool("elicitation"), "inputResponses": wrong})
    asked(answer, "elicitation/create")
    again = case.peer.retry(answer, "tools/call", tool("elicitation"), answers=wrong)
    asked(again, "elicitation/create")
    assert complete(case.peer.retry(again, "tools/call", tool("elicitation"))) == "Hello, Alice!"


@check("non-tool-request", needs=["prompts_and_resources"])
def prompt(case):
    params = {"name": "test_input_required_result_prompt"}
    peer = case.open(answers={"elicitation/create": {"action": "accept", "content": {"context": "test context"}}})
    first = peer.ask("prompts/get", params)
    asked(first, "elicitation/create")
    result = peer.retry(first, "prompts/get", params).result
    assert result["resultType"] == "complete" and "test context" in result["messages"][0]["content"]["text"]


@check("result-type")
def result_type(case):
    assert case.peer.ask("tools/call", tool("elicitation")).result["resultType"] == "input_required"


@scenario("input-required-result-unsupported-methods", [MODERN], needs="prompts_and_resources")
def unsupported_methods(case):
    for method in ("tools/list", "prompts/list", "resources/list", "resources/templates/list"):
        assert case.peer.ask(method).result["resultType"] == "complete"


@check("tampered-state")
def tampered_state(case):
    peer = confirming(case)
    first = peer.ask("tools/call", tool("tampered_state"))
    state = first.result["requestState"]
    answers = {key: peer.answer(question) for key, question in first.asks.items()}
    # The suite appends something; every other way to change it must fail as well.
    for spoilt in (state + "-TAMPERED", state[:-1], "A" + state[1:] if state[0] != "A" else "B" + state[1:], "", "e30="):
        answer = peer.ask("tools/call", {**tool("tampered_state"), "inputResponses": answers, "requestState": spoilt})
        if spoilt:
            assert answer.error["code"] == -32602, spoilt
        else:
            assert "error" in answer.message or answer.asks, "no state is no proof"
    # What was refused has not used up the real one.
    assert "state-ok" in complete(peer.retry(first, "tools/call", tool("tampered_state")))


@check("capability-check")
def capability_check(case):
    peer = case.open(capabilities={"sampling": {}})
    first = peer.ask("tools/call", tool("capabilities"))
    asked(first, "sampling/createMessage")
    assert "This is a test response" in complete(peer.retry(first, "tools/call", tool("capabilities")))


@check("ignore-extra-params")
def extra_answers(case):
    extra = {"unknown_extra_key": {"action": "accept", "content": {"foo": "bar"}},
             "another_unexpected": {"action": "accept", "content": {"baz": 123}}}
    if case.same:
        given = {"user_name": {"action": "accept", "content": {"name": "Alice"}}, **extra}
        assert complete(case.peer.ask("tools/call", {**tool("elicitation"), "inputResponses": given})) == "Hello, Alice!"
    # With the state that they belong to, in either era.
    first = case.peer.ask("tools/call", tool("elicitation"))
    key, = asked(first, "elicitation/create")
    given = {key: {"action": "accept", "content": {"name": "Alice"}}, **extra}
    assert complete(case.peer.retry(first, "tools/call", tool("elicitation"), answers=given)) == "Hello, Alice!"


@check("validate-input")
def invalid_answers(case):
    for given in ({"user_name": 12345}, None, {"user_name": {"action": "perhaps"}}, [1]):
        answer = case.peer.ask("tools/call", {**tool("elicitation"), "inputResponses": given}, valid=False)
        assert "error" in answer.message or answer.result["resultType"] == "input_required", given
    # And in a retry.
    first = case.peer.ask("tools/call", tool("elicitation"))
    key, = asked(first, "elicitation/create")
    for given in ({key: 12345}, None):
        answer = case.peer.retry(first, "tools/call", tool("elicitation"), answers=given, valid=False) if given else \
            case.peer.ask("tools/call", {**tool("elicitation"), "inputResponses": None}, valid=False)
        assert "error" in answer.message or answer.result["resultType"] == "input_required", given
