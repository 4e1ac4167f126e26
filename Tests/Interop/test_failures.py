"""Upstreams that die, in mid-call and between calls, and the gateway's own end."""

import os
import signal
import threading

import anyio
import pytest
from harness.clients import Refused, Target, connect, list_tools
from harness.deadline import eventually
from harness.gateway import Gateway
from harness.wire import Wire

pytestmark = [pytest.mark.gateway, pytest.mark.anyio]

ROUTES = [("current", "http"), ("legacy", "http"), ("legacy", "sse"), ("current", "stdio"), ("legacy", "stdio")]


def team(workshop, sdk, transport):
    fragile = workshop.upstream("fragile", sdk, transport)
    steady = workshop.upstream("steady")
    configuration = workshop.configuration([fragile, steady], {"team": {"tools": ["fragile.*", "steady.*"]}})
    return fragile, steady, workshop.gateway(configuration)


async def echo_again(session, name):
    """An upstream that died is up again after a while, without the client doing anything about it."""
    with anyio.fail_after(30):
        while True:
            try:
                result = await session.call(name, {"text": "again"})
                if not result.get("isError"):
                    return result
            except Refused as refused:
                assert refused.code is not None, refused


@pytest.mark.parametrize("sdk, transport", ROUTES)
@pytest.mark.parametrize("client", ["http-modern", "http-legacy"])
async def test_killing_an_upstream_in_mid_call_fails_that_call_at_once(workshop, client, sdk, transport):
    fragile, steady, gateway = team(workshop, sdk, transport)
    async with connect(client, Target.server(gateway, "team")) as session:
        await list_tools(session, including=["fragile_gated", "steady_gated"])
        port = fragile.port if fragile.url else None

        async def kill(done, total, message):
            pid = fragile.journal.entries(event="call", tool="gated")[-1]["pid"]
            os.kill(pid, signal.SIGKILL)

        waiting = anyio.Event()

        async def bystander():
            async def started(done, total, message):
                waiting.set()
            result = await session.call("steady_gated", {"gate": "bystander"}, on_progress=started)
            assert result["content"][0]["text"] == "released"

        async with anyio.create_task_group() as group:
            group.start_soon(bystander)
            await waiting.wait()
            with anyio.fail_after(5):
                try:
                    result = await session.call("fragile_gated", {"gate": "forever"}, on_progress=kill)
                except Refused as refused:
                    assert refused.code is not None
                else:
                    assert result["isError"] is True
            # Nobody else noticed.
            await session.call("steady_release", {"gate": "bystander"})
        assert len(fragile.journal.entries(event="call", tool="gated")) == 1, "a call that may have had an effect is not repeated"
        if fragile.url:
            fragile.stop()
            fragile.start(port)
        assert (await echo_again(session, "fragile_echo"))["content"][0]["text"] == "again"


@pytest.mark.parametrize("sdk, transport", [("legacy", "http"), ("legacy", "sse"), ("current", "http")])
async def test_a_restarted_upstream_is_used_again_without_the_caller_noticing(workshop, sdk, transport):
    fragile, _, gateway = team(workshop, sdk, transport)
    async with connect("http-modern", Target.server(gateway, "team")) as session:
        assert (await session.call("fragile_echo", {"text": "x"}))["content"][0]["text"] == "x"
        port = fragile.port
        fragile.stop()
        fragile.start(port)
        # Its session is gone; the call is made in a new one.
        if transport == "http":
            assert (await session.call("fragile_echo", {"text": "y"}))["content"][0]["text"] == "y"
        else:
            await echo_again(session, "fragile_echo")


async def test_a_child_that_crashes_is_started_again(workshop):
    fragile, _, gateway = team(workshop, "current", "stdio")
    async with connect("http-modern", Target.server(gateway, "team")) as session:
        await list_tools(session, including=["fragile_whoami", "steady_echo"])
        first = (await session.call("fragile_whoami"))["structuredContent"]["pid"]
        try:
            assert (await session.call("fragile_crash"))["isError"] is True
        except Refused as refused:
            assert refused.code is not None and str(fragile.command[0]) not in refused.message
        await echo_again(session, "fragile_echo")
        assert (await session.call("fragile_whoami"))["structuredContent"]["pid"] != first
        assert (await session.call("steady_echo", {"text": "x"}))["content"][0]["text"] == "x"


@pytest.mark.quick
def test_a_child_that_always_crashes_is_not_started_in_a_loop(workshop):
    starts = workshop.folder / "starts"
    steady = workshop.upstream("steady")
    configuration = workshop.configuration(
        {"broken": {"command": "/bin/sh", "args": ["-c", f"echo start >> {starts}; echo 'cannot find my config' >&2; exit 7"]},
         "steady": steady.settings()},
        {"team": {"tools": ["broken.*", "steady.echo"]}})
    gateway = workshop.gateway(configuration)
    wire = Wire(gateway.url("team"))
    assert [t["name"] for t in wire.call("tools/list").result["tools"]] == ["steady_echo"]
    eventually(lambda: gateway.ready()["upstreams"]["broken"]["last_error"])
    for _ in range(30):
        assert wire.call("tools/call", {"name": "broken_x", "arguments": {}}).error["code"] in (-32602, -32603)
    assert len(starts.read_text().splitlines()) <= 8
    # What it says on standard error is in the log, with its name.
    eventually(lambda: any("broken" in line and "cannot find my config" in line for line in gateway.process.stderr.splitlines()))


def test_a_call_waits_for_an_upstream_that_starts_slowly_and_a_list_does_not(workshop):
    gate = workshop.folder / "gate"
    os.mkfifo(gate)
    late = workshop.upstream("late", "current", "stdio")
    settings = {"command": "/bin/sh", "args": ["-c", 'read line < "$0"; exec "$@"', str(gate), *late.command]}
    configuration = workshop.configuration({"late": settings}, {"team": {"tools": ["late.*"]}}, limits={"heartbeat": "1s"})
    wire = Wire(workshop.gateway(configuration).url("team"))
    assert wire.call("tools/list").result["tools"] == []
    # The answer is begun by the first heartbeat: the call waits by then.
    with wire.call("tools/call", {"name": "late_echo", "arguments": {"text": "at last"}}) as call:
        gate.write_text("go\n")
        assert call.answer()["result"]["content"][0]["text"] == "at last"


@pytest.mark.quick
def test_a_command_that_does_not_exist_is_said_plainly(workshop):
    steady = workshop.upstream("steady")
    configuration = workshop.configuration(
        {"absent": {"command": "no-such-program-xyz"}, "steady": steady.settings()}, {"team": {"tools": ["absent.*", "steady.echo"]}})
    gateway = workshop.gateway(configuration)
    wire = Wire(gateway.url("team"))
    assert [t["name"] for t in wire.call("tools/list").result["tools"]] == ["steady_echo"]
    error = eventually(lambda: gateway.ready()["upstreams"]["absent"]["last_error"])
    assert "no-such-program-xyz" in error


# The gateway's own end

@pytest.mark.quick
def test_a_call_that_runs_is_finished_before_the_gateway_ends(workshop):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {"team": {"names": "plain", "tools": ["one.*"]}})
    gateway = Gateway(configuration).start()
    wire = Wire(gateway.url("team"))
    with wire.call("tools/call", {"name": "gated", "arguments": {"gate": "end"}}, progressToken=1) as stream:
        stream.until(lambda m: m.get("method") == "notifications/progress")
        stopping = threading.Thread(target=gateway.process.child.terminate)
        stopping.start()
        stopping.join()
        eventually(lambda: gateway.status("/healthz") is None, what="no new connections")
        # The gateway takes no more calls; the gate is opened at the upstream itself.
        direct = Wire(upstream.url)
        assert direct.call("tools/call", {"name": "release", "arguments": {"gate": "end"}}).result
        assert stream.answer()["result"]["content"][0]["text"] == "released"
    gateway.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_children_of_children_end_with_the_gateway(workshop, number):
    upstream = workshop.upstream("one", "current", "stdio")
    # A wrapper such as npx or uvx: the server is its child.
    # Background jobs of sh read from /dev/null unless told otherwise.
    script = 'exec 3<&0; "$@" <&3 & wait'
    wrapped = {"command": "/bin/sh", "args": ["-c", script, "wrapper", *upstream.command], "env": upstream.environment}
    configuration = workshop.configuration({"one": wrapped}, {"team": {"names": "plain", "tools": ["one.*"]}})
    gateway = Gateway(configuration).start()
    try:
        wire = Wire(gateway.url("team"))
        eventually(lambda: wire.call("tools/list").result["tools"])
        assert len(gateway.process.descendants()) >= 2
        gateway.process.child.send_signal(number)
        assert gateway.process.child.wait(15) == 0
        eventually(lambda: not gateway.process.descendants(), within=5)
    finally:
        gateway.process.kill()
