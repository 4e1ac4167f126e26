"""Every client with every kind of upstream: the same answers, whatever is spoken on either side."""

import sys

import anyio
import pytest
from harness.clients import KINDS, Refused, connect, list_tools
from harness.schemas import MODERN
from harness.scope import prompts_and_resources

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/upstreams")
import toolset  # noqa: E402

pytestmark = pytest.mark.anyio

async def test_a_client_sees_and_uses_all_of_an_upstream(client, upstream, world):
    async with connect(client, world.target(upstream)) as session:
        if world.gateway:
            assert (session.revision == MODERN) == client.endswith("modern")
        assert session.instructions == "For tests only."
        assert "tools" in session.capabilities
        if world.gateway:
            # A client must not be led to ask for what is not there.
            assert not {"prompts", "resources", "completions", "completion"} & set(session.capabilities)

        tools = {tool["name"]: tool for tool in await list_tools(session, including=["echo"])}
        for wanted in toolset.TOOLS:
            assert tools[wanted["name"]] == wanted

        echoed = await session.call("echo", {"text": "hello"})
        assert echoed["content"] == [{"type": "text", "text": "hello"}]
        assert echoed["_meta"]["example.com/echoed"] is True

        added = await session.call("add", {"a": 1, "b": 2.5})
        assert added["structuredContent"] == {"sum": 3.5}

        failed = await session.call("fail", {"message": "no luck"})
        assert failed["isError"] is True and failed["content"][0]["text"] == "no luck"

        pictures = await session.call("pictures")
        assert [part["type"] for part in pictures["content"]] == ["text", "image", "audio", "resource"]
        assert pictures["content"][1]["data"] == toolset.PIXEL
        assert pictures["content"][0]["annotations"] == {"audience": ["user"], "priority": 0.5}

        said = await session.call("unicode", {"text": "ж\n\t\0"})
        assert said["content"][0]["text"] == toolset.UNICODE + "ж\n\t\0"

        big = await session.call("big")
        assert len(big["content"][0]["text"]) == toolset.BIG_BYTES

        steps = []

        async def progress(done, total, message):
            steps.append((done, total, message))

        slow = await session.call("slow", {"steps": 3}, on_progress=progress)
        assert slow["content"][0]["text"] == "3 steps"
        assert steps == [(1, 3, "step 1"), (2, 3, "step 2"), (3, 3, "step 3")]

        with pytest.raises(Refused) as refused:
            await session.call("no_such_tool")
        assert refused.value.code == -32602


@prompts_and_resources
async def test_prompts_and_resources_pass(client, upstream, world):
    if KINDS[client][1] != "http" and upstream not in ("modern", "older"):
        pytest.skip("one path is enough")
    async with connect(client, world.target(upstream)) as session:
        prompts = await session.prompts()
        assert {p["name"] for p in prompts["prompts"]} >= {"greet", "plain"}
        greeting = await session.prompt("greet", {"who": "Ada"})
        assert greeting["messages"][0]["content"]["text"] == "Greet Ada."
        resources = await session.resources()
        assert {r["uri"] for r in resources["resources"]} == {"test://static-text", "test://static-binary"}
        read = await session.read("test://static-text")
        assert read["contents"][0]["text"] == "static text"
        binary = await session.read("test://static-binary")
        assert binary["contents"][0]["blob"] == toolset.PIXEL
        item = await session.read("test://item/7")
        assert item["contents"][0]["text"] == "item 7"


async def test_a_long_list_is_complete_and_in_a_stable_order(client, world):
    if client == "old-sse" and world.gateway is None:
        pytest.skip("the upstream has no SSE")
    async with connect(client, world.target("pages")) as session:
        first = [tool["name"] for tool in await list_tools(session, including=["tool_000"])]
        assert sorted(first) == [f"tool_{n:03}" for n in range(toolset.PAGED)]
        assert [tool["name"] for tool in await list_tools(session)] == first
        last = await session.call("tool_249", {"n": 1})
        assert last["content"][0]["text"] == 'tool_249 {"n": 1}'


async def test_progress_arrives_while_the_call_runs(client, upstream, world):
    async with connect(client, world.target(upstream)) as session:
        gate = f"{client}-progress"
        await list_tools(session, including=["gated"])

        async def release(done, total, message):
            if done == 1:
                group.start_soon(session.call, "release", {"gate": gate})

        async with anyio.create_task_group() as group:
            with anyio.fail_after(20):
                result = await session.call("gated", {"gate": gate}, on_progress=release)
        assert result["content"][0]["text"] == "released"


async def test_a_cancelled_call_is_cancelled_at_the_upstream(client, upstream, world):
    from harness.deadline import eventually
    journal = world.upstreams[upstream].journal
    gate = f"{client}-cancel-{upstream}"
    async with connect(client, world.target(upstream)) as session:
        await list_tools(session, including=["gated"])
        async with anyio.create_task_group() as group:

            async def call():
                await session.call("gated", {"gate": gate}, on_progress=stop)

            async def stop(done, total, message):
                group.cancel_scope.cancel()

            group.start_soon(call)
        await anyio.to_thread.run_sync(lambda: eventually(
            lambda: journal.entries(event="cancelled", arguments={"gate": gate}), what=f"{upstream} hears of the cancellation"))
        # The connection is as good as before.
        assert (await session.call("echo", {"text": "after"}))["content"][0]["text"] == "after"
