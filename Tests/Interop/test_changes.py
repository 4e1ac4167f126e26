"""Lists that change while clients are connected: by an upstream, by a configuration, by an upstream that comes back."""

import itertools

import anyio
import pytest
from harness.clients import KINDS, Target, connect, list_tools
from harness.deadline import eventually
from harness.schemas import MODERN
from harness.wire import META, Wire

pytestmark = pytest.mark.anyio

numbers = itertools.count()


async def provoke(changed, trigger):
    """Triggers until the change is announced: a legacy client opens its stream some time after it has connected."""
    for _ in range(20):
        await trigger()
        with anyio.move_on_after(2) as patience:
            await changed()
        if not patience.cancelled_caught:
            return
    raise AssertionError("the change was not announced")


async def names(session):
    return {tool["name"] for tool in await list_tools(session)}


async def until(session, wanted):
    with anyio.fail_after(15):
        while not wanted(await names(session)):
            await anyio.lowlevel.checkpoint()


async def in_thread(function, *arguments):
    return await anyio.to_thread.run_sync(function, *arguments)


CHANGES = [("http-modern", u) for u in ("modern", "handshake", "older", "sse", "oldchild", "child")] + \
    [(c, u) for c in KINDS if c != "http-modern" for u in ("modern", "oldchild")]


@pytest.mark.gateway
@pytest.mark.parametrize("client, upstream", CHANGES)
async def test_a_new_tool_of_an_upstream_is_announced_and_works(client, upstream, world):
    async with connect(client, world.target(upstream)) as session:
        await list_tools(session, including=["add_tool"])
        added = []

        async def add():
            added.append(f"new_{next(numbers)}")
            await session.call("add_tool", {"name": added[-1]})

        async with session.watching() as changed:
            await provoke(changed, add)
        await until(session, lambda known: added[0] in known)
        assert (await session.call(added[0], {"n": 1}))["content"][0]["text"] == f'{added[0]} {{"n": 1}}'
        for name in added:
            await session.call("remove_tool", {"name": name})
        await until(session, lambda known: not known & set(added))



@pytest.mark.gateway
async def test_tools_that_appear_later_are_held_back_where_the_team_says_so(workshop):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {
        "held": {"names": "plain", "tools": ["one.*"]},
        "shown": {"names": "plain", "tools": ["one.*"], "new_tools": "show"}})
    from harness.gateway import Gateway
    with Gateway(configuration) as gateway:
        async with connect("http-modern", Target.server(gateway, "shown")) as shown, \
                connect("http-modern", Target.server(gateway, "held")) as held:
            before = await names(held)
            assert "add_tool" in before
            async with shown.watching() as changed:
                await shown.call("add_tool", {"name": "surprise"})
                await changed()
            await until(shown, lambda known: "surprise" in known)
            assert await names(held) == before
    # The baseline is remembered.
    with Gateway(configuration) as gateway:
        async with connect("http-modern", Target.server(gateway, "shown")) as shown, \
                connect("http-modern", Target.server(gateway, "held")) as held:
            await until(shown, lambda known: "surprise" in known)
            assert await names(held) == before


@pytest.mark.gateway
@pytest.mark.quick
async def test_accepting_an_upstream_takes_its_new_tools(workshop):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {
        "held": {"names": "plain", "tools": ["one.*"]},
        "shown": {"names": "plain", "tools": ["one.*"], "new_tools": "show"}})
    gateway = workshop.gateway(configuration)
    async with connect("http-modern", Target.server(gateway, "shown")) as shown, \
            connect("http-modern", Target.server(gateway, "held")) as held:
        before = await names(held)
        done = await in_thread(configuration.run, "accept", "one")
        assert (done.returncode, done.stdout) == (0, "nothing has changed\n"), done.stderr
        await shown.call("add_tool", {"name": "surprise"})
        await shown.call("remove_tool", {"name": "pictures"})
        await until(shown, lambda known: "surprise" in known and "pictures" not in known)
        assert await names(held) == before - {"pictures"}
        async with held.watching() as changed:
            done = await in_thread(configuration.run, "accept", "one")
            assert (done.returncode, sorted(done.stdout.splitlines())) == (0, ["+ one.surprise", "- one.pictures"]), done.stderr
            await changed()
        await until(held, lambda known: known == before - {"pictures"} | {"surprise"})
        # What comes next is held again.
        await shown.call("add_tool", {"name": "another"})
        await until(shown, lambda known: "another" in known)
        assert "another" not in await names(held)


@pytest.mark.gateway
@pytest.mark.quick
def test_accepting_what_is_not_there_is_refused(workshop):
    configuration = workshop.configuration({"absent": {"url": "http://127.0.0.1:9/mcp"}}, {"team": {"tools": ["absent.*"]}})
    for name in ("absent", "absnet"):
        done = configuration.run("accept", name)
        assert done.returncode == 1 and done.stdout == "" and "absent" in done.stderr


# Configuration

@pytest.mark.gateway
@pytest.mark.parametrize("client", ["http-modern", "http-legacy", "old-sse"])
@pytest.mark.parametrize("by_signal", [False, pytest.param(True, marks=pytest.mark.quick)])
async def test_a_changed_file_changes_the_list_and_clients_hear_of_it(workshop, client, by_signal):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {"team": {"names": "plain", "tools": ["one.echo"]}})
    gateway = workshop.gateway(configuration)
    choices = itertools.cycle([["one.echo", "one.add"], ["one.echo", "one.fail"]])
    async with connect(client, Target.server(gateway, "team")) as session:
        assert await names(session) == {"echo"}

        async def change():
            configuration.write_server("team", {"names": "plain", "tools": next(choices)})
            if by_signal:
                gateway.reload()

        async with session.watching() as changed:
            await provoke(changed, change)
        await until(session, lambda known: known in ({"echo", "add"}, {"echo", "fail"}))
        assert (await session.call("echo", {"text": "x"}))["content"][0]["text"] == "x"


@pytest.mark.gateway
@pytest.mark.quick
async def test_a_mistake_keeps_the_old_configuration_and_is_reported(workshop):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {"team": {"names": "plain", "tools": ["one.echo"]}})
    gateway = workshop.gateway(configuration)
    assert gateway.get("/readyz")[0] == 200
    async with connect("http-modern", Target.server(gateway, "team")) as session:
        assert await names(session) == {"echo"}
        configuration.write_server("team", 'access: everyone\ntools:\n  - "onne.echo"\n')
        gateway.reload()
        problem = "virtual-servers/team.yaml:3:"
        await in_thread(lambda: eventually(lambda: problem in gateway.get("/readyz")[1].decode(), what="/readyz names the mistake"))
        assert problem in gateway.process.stderr
        assert await names(session) == {"echo"}
        assert (await session.call("echo", {"text": "x"}))["content"][0]["text"] == "x"
        # Put right, it is taken.
        configuration.write_server("team", {"names": "plain", "tools": ["one.echo", "one.add"]})
        gateway.reload()
        await until(session, lambda known: known == {"echo", "add"})
        await in_thread(lambda: eventually(lambda: problem not in gateway.get("/readyz")[1].decode()))


@pytest.mark.gateway
async def test_virtual_servers_and_upstreams_come_and_go_with_their_files(workshop):
    one = workshop.upstream("one")
    configuration = workshop.configuration([one], {"first": {"names": "plain", "tools": ["one.echo"]}})
    gateway = workshop.gateway(configuration)
    assert Wire(gateway.url("second")).call("tools/list").status == 404
    two = workshop.upstream("two", "legacy")
    configuration.write_gateway({"upstreams": {"one": one.settings(), "two": two.settings()}})
    configuration.write_server("second", {"names": "plain", "tools": ["two.add"]})
    gateway.reload()
    await in_thread(lambda: eventually(lambda: Wire(gateway.url("second")).call("tools/list").status == 200))
    async with connect("http-modern", Target.server(gateway, "second")) as session:
        await until(session, lambda known: known == {"add"})
    (configuration.folder / "virtual-servers" / "second.yaml").unlink()
    gateway.reload()
    await in_thread(lambda: eventually(lambda: Wire(gateway.url("second")).call("tools/list").status == 404))


# An upstream that is not there

@pytest.mark.gateway
@pytest.mark.parametrize("client", [pytest.param("http-modern", marks=pytest.mark.quick), "http-legacy", "old-sse"])
async def test_an_upstream_that_is_down_takes_only_its_own_tools_and_comes_back(workshop, client):
    here = workshop.upstream("here")
    late = workshop.upstream("late")
    port = late.port
    late.stop()
    configuration = workshop.configuration([here, late], {"team": {"tools": ["here.echo", "late.echo"]}})
    gateway = workshop.gateway(configuration)
    async with connect(client, Target.server(gateway, "team")) as session:
        assert await names(session) == {"here_echo"}
        assert (await session.call("here_echo", {"text": "x"}))["content"][0]["text"] == "x"
        assert status(gateway, "here")["state"] == "up"
        await in_thread(lambda: eventually(lambda: status(gateway, "late")["state"] == "down" and status(gateway, "late")["last_error"]))
        async with session.watching() as changed:
            late.start(port)
            await changed()
        await until(session, lambda known: known == {"here_echo", "late_echo"})
        assert (await session.call("late_echo", {"text": "y"}))["content"][0]["text"] == "y"
        assert status(gateway, "late")["state"] == "up"


def status(gateway, upstream):
    return gateway.ready()["upstreams"][upstream]


@pytest.mark.gateway
def test_a_list_does_not_wait_for_an_upstream_that_never_answers(workshop):
    import socket
    import time
    here = workshop.upstream("here")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        configuration = workshop.configuration(
            {"here": here.settings(), "mute": {"url": f"http://127.0.0.1:{silent.getsockname()[1]}/mcp"},
             "stuck": {"command": "sleep", "args": ["600"]}},
            {"team": {"tools": ["mute.*", "stuck.*", "here.echo"]}})
        gateway = workshop.gateway(configuration)
        began = time.monotonic()
        tools = Wire(gateway.url("team")).call("tools/list").result["tools"]
        assert [tool["name"] for tool in tools] == ["here_echo"]
        assert time.monotonic() - began < 4, "the bound is 2 s; the rest is for a slow machine"
        gateway.stop()


# Streams that listen

@pytest.mark.gateway
@pytest.mark.quick
def test_two_subscriptions_on_one_server_both_hear(world):
    wire = Wire(world.url("checks"))
    with wire.call("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, id="a") as first, \
            wire.call("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, id="b") as second:
        first.next(), second.next()
        wire.call("tools/call", {"name": "test_trigger_tool_change", "arguments": {}}).answer()
        for stream, id in ((first, "a"), (second, "b")):
            message = stream.until(lambda m: m.get("method") == "notifications/tools/list_changed")
            assert message["params"]["_meta"][META + "subscriptionId"] == id


@pytest.mark.gateway
@pytest.mark.quick
@pytest.mark.parametrize("revision", ["2025-11-25", MODERN])
def test_streams_end_when_the_gateway_stops(workshop, revision):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {"team": {"names": "plain", "tools": ["one.echo"]}})
    gateway = workshop.gateway(configuration)
    wire = Wire(gateway.url("team"), revision)
    if revision == MODERN:
        stream = wire.call("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        assert stream.next()["method"] == "notifications/subscriptions/acknowledged"
    else:
        wire.initialize()
        stream = wire.listen()
    gateway.stop()
    while stream.next() is not None:
        pass
