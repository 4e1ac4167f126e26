"""What an upstream asks in mid-call: every kind of client with every kind of upstream."""

import json

import pytest
from harness.answers import CANNED
from harness.clients import connect, list_tools
from harness.schemas import MODERN

pytestmark = [pytest.mark.gateway, pytest.mark.anyio]

# What each question becomes, where text is shown to a person.
SHOWN = {"form": "What is your name?", "link": "Please look here."}


async def ask(session, upstream, *what, **more):
    await list_tools(session, including=["ask"])
    result = await session.call("ask", {"what": list(what), **more})
    assert not result.get("isError"), result
    return result["structuredContent"]["answers"]


def kinds(session):
    """The questions that every revision of the client has."""
    return ["form", "link", "sample", "tools", "roots"]


async def test_every_question_reaches_the_client_and_its_answer_the_upstream(world, client, upstream):
    async with connect(client, world.target(upstream), answering=True) as session:
        for kind in kinds(session):
            answers = await ask(session, upstream, kind)
            assert answers == {kind: CANNED[kind]}
            method, params = session.asked[-1]
            if kind in SHOWN:
                assert params["message"] == f"{upstream}: {SHOWN[kind]}"
            if kind == "sample":
                assert params["messages"][0]["content"]["text"].endswith("[1m"), "what a model reads has no control characters"
                assert params["_meta"]["switchboard/upstream"] == upstream
            if kind == "form":
                assert params["requestedSchema"]["properties"]["name"]["title"] == "Your name"
        assert len(session.asked) == len(kinds(session))
        if session.revision != MODERN and upstream not in ("modern", "child"):
            # A legacy upstream says when the matter behind its link is done.
            await session.traffic.until_notified("notifications/elicitation/complete")


async def test_several_questions_are_asked_at_once_and_in_several_rounds(world, client, upstream):
    async with connect(client, world.target(upstream), answering=True) as session:
        what = ["form", "sample", "roots"]
        assert await ask(session, upstream, *what, rounds=3) == {kind: CANNED[kind] for kind in what}
        assert len(session.asked) == 9
        if session.revision == MODERN:
            rounds = [m for m in session.traffic.messages if m.get("result", {}).get("resultType") == "input_required"]
            counts = [len(m["result"]["inputRequests"]) for m in rounds]
            # Those of a legacy upstream come one by one; what comes late is asked in a round of its own.
            assert counts == [3, 3, 3] if upstream in ("modern", "child") else sum(counts) == 9, counts


async def test_a_text_for_a_person_has_no_control_characters(world, client, upstream):
    async with connect(client, world.target(upstream), answering=True) as session:
        await ask(session, upstream, "form", message="Say\x1b[31m \u202eyes\u202c,\nplease\x00\x9b")
        assert session.asked[-1][1]["message"] == f"{upstream}: Say[31m yes, please"


async def test_a_client_that_can_answer_nothing_is_asked_nothing(world, client, upstream):
    async with connect(client, world.target(upstream)) as session:
        await list_tools(session, including=["ask"])
        try:
            result = await session.call("ask", {"what": ["form"]})
        except Exception as refusal:
            assert refusal.code in (-32021, -32603, -32600), refusal
            if refusal.code == -32021:
                assert refusal.data == {"requiredCapabilities": {"elicitation": {"form": {}}}}
        else:
            # A legacy upstream hears that it may not.
            assert "error" in result["structuredContent"]["answers"]["form"], json.dumps(result)
        assert session.asked == []
