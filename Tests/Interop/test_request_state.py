"""`requestState` in a client's hands: what it may not do with it, and what becomes of calls whose clients never return."""

import base64
import json

import pytest
from harness.answers import CANNED
from harness.deadline import eventually
from harness.schemas import MODERN
from harness.wire import Wire, meta

pytestmark = pytest.mark.gateway

FORM = CANNED["form"]
FORMS = {"elicitation": {"form": {}}}
ASK = {"name": "ask", "arguments": {"what": ["form"]}}


@pytest.fixture(params=["modern", "older"])
def wire(world, request):
    """A modern client by hand, of an upstream of its own era and of one that is asked in mid-call."""
    return Wire(world.url(request.param), MODERN)


def begin(wire, **more):
    result = wire.call("tools/call", ASK, capabilities=FORMS, **more).result
    assert result["resultType"] == "input_required", result
    return result


def retry(wire, begun, params=ASK, responses=None, state=None, **more):
    params = {**params, "requestState": begun["requestState"] if state is None else state,
              "inputResponses": {key: FORM for key in begun["inputRequests"]} if responses is None else responses}
    return wire.call("tools/call", params, id=2, capabilities=FORMS, **more)


@pytest.mark.quick
def test_a_retry_with_the_state_as_it_came_goes_on(wire):
    answers = retry(wire, begin(wire)).result["structuredContent"]["answers"]
    assert answers == {"form": FORM}


def test_a_state_that_was_changed_is_refused(wire):
    begun = begin(wire)
    state = begun["requestState"]
    raw = bytearray(base64.urlsafe_b64decode(state + "=" * (-len(state) % 4)))
    changed = []
    for place in (0, 12, len(raw) // 2, len(raw) - 1):
        raw[place] ^= 1
        changed.append(base64.urlsafe_b64encode(raw).decode().rstrip("="))
        raw[place] ^= 1
    for wrong in (state + "-TAMPERED", state[:-1], state[1:], state.upper(), "", "round-1", "x" * 100_000, *changed):
        assert retry(wire, begun, state=wrong).error["code"] == -32602, wrong
    assert retry(wire, begun).result["structuredContent"], "the true one is still good"


def test_a_state_is_good_for_its_own_arguments_and_tool_only(wire):
    begun = begin(wire)
    for other in ({"name": "ask", "arguments": {"what": ["form"], "rounds": 1}}, {"name": "ask", "arguments": {"what": ["roots"]}},
                  {"name": "ask"}, {"name": "add", "arguments": ASK["arguments"]}):
        assert retry(wire, begun, params=other).error["code"] == -32602, other
    assert retry(wire, begun).result["structuredContent"]


def test_a_state_is_good_at_its_own_virtual_server_only(world):
    for name, other in (("modern", "older"), ("older", "modern")):
        begun = begin(Wire(world.url(name), MODERN))
        assert retry(Wire(world.url(other), MODERN), begun).error["code"] == -32602


def test_a_key_that_is_spelt_with_escapes_smuggles_nothing(world):
    wire = Wire(world.url("modern"), MODERN)
    begun = begin(wire)
    message = {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {
        **ASK, "requestState": "round-1", "inputResponses": {}, "_meta": meta(capabilities=FORMS)}}
    body = json.dumps(message).replace('"requestState"', '"requestSt\\u0061te"').encode()
    assert wire.post(message, body=body).error["code"] == -32602


def test_a_parked_call_is_resumed_once(world):
    wire = Wire(world.url("older"), MODERN)
    begun = begin(wire)
    assert retry(wire, begun).result["structuredContent"]
    assert retry(wire, begun).error["code"] == -32602


def test_what_was_not_answered_is_asked_again(world):
    wire = Wire(world.url("older"), MODERN)
    begun = begin(wire)
    for responses in ({}, {"other": FORM}, {key: {"action": "perhaps"} for key in begun["inputRequests"]}):
        again = retry(wire, begun, responses=responses).result
        assert again["inputRequests"] == begun["inputRequests"] and again["requestState"] != begun["requestState"]
        begun = again
    assert retry(wire, begun).result["structuredContent"]


def test_the_upstreams_own_state_is_not_shown_and_comes_back_to_it(workshop):
    upstream = workshop.upstream("up")
    servers = {"team": {"names": "plain", "tools": ["up.*"], "new_tools": "show"}}
    wire = Wire(workshop.gateway(workshop.configuration([upstream], servers)).url("team"), MODERN)
    begun = begin(wire)
    assert "round-1" not in begun["requestState"]
    retry(wire, begun)
    assert [entry["state"] for entry in upstream.journal.entries(event="answered")] == ["round-1"]


def test_an_answer_counts_once_also_after_a_restart_and_what_was_asked_before_it_can_be_answered(workshop):
    upstream = workshop.upstream("up")
    servers = {"team": {"names": "plain", "tools": ["up.*"], "new_tools": "show"}}
    gateway = workshop.gateway(workshop.configuration([upstream], servers))
    wire = Wire(gateway.url("team"), MODERN)
    used, unused = begin(wire), begin(wire)
    assert retry(wire, used).result["structuredContent"]
    port = gateway.port
    gateway.stop()
    gateway.start(port)
    assert retry(wire, used).error["code"] == -32602
    assert retry(wire, unused).result["structuredContent"]
    assert retry(wire, unused).error["code"] == -32602
    assert len(upstream.journal.entries(event="answered")) == 2


@pytest.mark.parametrize("transport", ["http", "sse", "stdio"])
def test_a_client_that_never_returns_frees_everything(workshop, transport):
    upstream = workshop.upstream("up", "legacy", transport)
    servers = {"team": {"names": "plain", "tools": ["up.*"], "new_tools": "show"}}
    configuration = workshop.configuration([upstream], servers, limits={"answer_time": "300ms", "parked_calls": 1})
    wire = Wire(workshop.gateway(configuration).url("team"), MODERN)
    for number in range(1, 4):
        begun = begin(wire)
        # The upstream hears an error or of the cancellation, and the place is free for the next one.
        eventually(lambda count=number: len(upstream.journal.entries(event="answered")) + len(upstream.journal.entries(event="cancelled")) == count)
        eventually(lambda: retry(wire, begun).error["code"] == -32602)


def test_no_more_calls_are_parked_than_may_be(workshop):
    upstream = workshop.upstream("up", "legacy")
    servers = {"team": {"names": "plain", "tools": ["up.*"], "new_tools": "show"}}
    configuration = workshop.configuration([upstream], servers, limits={"parked_calls": 2})
    wire = Wire(workshop.gateway(configuration).url("team"), MODERN)
    parked = [begin(wire), begin(wire)]
    assert wire.call("tools/call", ASK, capabilities=FORMS).error["code"] == -32603
    for begun in parked:
        assert retry(wire, begun).result["structuredContent"]
    assert begin(wire)
