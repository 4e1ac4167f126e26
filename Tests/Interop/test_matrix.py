"""Every client with every kind of upstream and every feature: the same answers, whatever is spoken on either side."""

import pathlib
import re

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


# The README says what is tested here

NAMES = {"stdio": "stdio", "http": "streamable HTTP", "sse": "HTTP+SSE"}


def client_row(client):
    transport = BY_HAND[client][1] if client in BY_HAND else KINDS[client][1]
    return NAMES[transport] + ("" if transport == "sse" else ", modern" if client.endswith("modern") else ", legacy")


def upstream_column(upstream):
    sdk, transport, _, keys = UPSTREAMS[upstream]
    return NAMES[transport] + ("" if transport == "sse" else ", legacy" if sdk == "legacy" or keys else ", modern")


def tables():
    """The README's tables of what works, each as `{row: {column: cell}}`."""
    readme = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", readme, re.M):
        head, _, *rows = ([cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines())
        found.append({row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows})
    return found


@pytest.mark.quick
def test_the_readme_names_each_pair_of_client_and_upstream():
    pairs = tables()[0]
    assert set(pairs) == {client_row(client) for client in CLIENTS}
    for cells in pairs.values():
        assert cells == {upstream_column(upstream): "yes" for upstream in UPSTREAMS}


@pytest.mark.quick
def test_the_readme_names_each_feature():
    eras = ["legacy → legacy", "legacy → modern", "modern → legacy", "modern → modern"]
    expected = {}
    for name, (_, since, until, needs) in FEATURES.items():
        said = "not yet" if PENDING.keys() & needs else "yes"
        expected[name] = {"clients of": since if since == until else f"{since} on" if since > "2024-11-05" else "all"}
        expected[name] |= {era: said if until == MODERN or era.startswith("legacy") else "–" for era in eras}
    assert tables()[1] == expected
    assert list(tables()[1]) == list(expected)
