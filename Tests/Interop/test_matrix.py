"""Every client with every kind of upstream and every feature: the same answers, whatever is spoken on either side."""

import pytest
from conftest import DIRECT, UPSTREAMS
from features import FEATURES, Bench
from harness.clients import BY_HAND, KINDS, connect, list_all, list_tools
from harness.pending import PENDING
from harness.schemas import MODERN

import toolset  # noqa: E402

pytestmark = pytest.mark.anyio


def reaches(client, upstream):
    transport = BY_HAND[client][1] if client in BY_HAND else KINDS[client][1]
    return not DIRECT or UPSTREAMS[upstream][1] == transport


CLIENTS = [*KINDS, *BY_HAND]
CELLS = [(client, upstream) for client in CLIENTS for upstream in UPSTREAMS if reaches(client, upstream)]


@pytest.mark.parametrize("client, upstream", CELLS)
async def test_every_feature_works(client, upstream, world, subtests):
    """One connection for all of them; each is reported for itself."""
    async with connect(client, world.target(upstream), answering=True) as session:
        if world.gateway:
            assert (session.revision == MODERN) == client.endswith("modern")
        await list_tools(session, including=["echo"])
        bench = Bench(session, client, upstream, world)
        for name, (check, since, until, needs) in FEATURES.items():
            if since <= session.revision <= until and not (world.gateway and PENDING.keys() & needs):
                with subtests.test(name):
                    await check(bench)


@pytest.mark.parametrize("client", CLIENTS)
async def test_long_lists_are_complete_and_in_a_stable_order(client, world):
    if world.gateway is None and not reaches(client, "modern"):
        pytest.skip("this upstream speaks HTTP")
    async with connect(client, world.target("pages")) as session:
        await list_tools(session, including=["tool_000"])
        lists = [(session.page, "tools", "name", "tool_{:03}")]
        if world.gateway is None or "prompts_and_resources" not in PENDING:
            lists += [
                (session.prompts, "prompts", "name", "prompt_{:03}"), (session.resources, "resources", "uri", "test://page/{:03}"),
                (session.templates, "resourceTemplates", "uriTemplate", "test://template/{:03}/{{x}}")]
        for page, member, key, pattern in lists:
            first = [entry[key] for entry in await list_all(page, member)]
            assert sorted(first) == [pattern.format(n) for n in range(toolset.PAGED)]
            assert [entry[key] for entry in await list_all(page, member)] == first
        last = await session.call("tool_249", {"n": 1})
        assert last["content"][0]["text"] == 'tool_249 {"n": 1}'
