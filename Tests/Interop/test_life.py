"""When things start and end: upstreams on demand, calls across a reload, the end of the gateway with calls under way."""

import os
import signal
import socket
import threading
import time

import pytest
from harness.deadline import PATIENCE, eventually
from harness.gateway import Gateway
from harness.schemas import MODERN
from harness.wire import Wire

pytestmark = pytest.mark.gateway


# Start

@pytest.mark.parametrize("ask", [
    pytest.param(lambda gateway: gateway.get("/readyz"), id="readyz"),
    pytest.param(lambda gateway: Wire(gateway.url("team")).call("tools/list").result, id="list"),
    pytest.param(lambda gateway: Wire(gateway.url("team")).call("server/discover").result, id="discover"),
    pytest.param(lambda gateway: Wire(gateway.url("team"), "2025-11-25").initialize(), id="initialize"),
])
def test_a_child_is_started_when_it_is_first_needed(workshop, ask):
    child, other = workshop.upstream("child", "current", "stdio"), workshop.upstream("other", "legacy", "stdio")
    configuration = workshop.configuration([child, other], {"team": {"tools": ["child.echo"]}})
    gateway = workshop.gateway(configuration)
    assert gateway.get("/healthz")[0] == 200 and Wire(gateway.url("nobody")).call("tools/list").status == 404
    assert not gateway.process.descendants()
    ask(gateway)
    eventually(lambda: gateway.process.descendants())
    eventually(lambda: gateway.ready()["upstreams"]["child"]["state"] == "up")
    # One that no virtual server uses is never started.
    assert len(gateway.process.descendants()) == 1 and gateway.ready()["upstreams"]["other"]["state"] == "idle"


@pytest.mark.quick
def test_many_first_requests_start_a_child_once(workshop):
    child = workshop.upstream("child", "current", "stdio")
    gateway = workshop.gateway(workshop.configuration([child], {"team": {"names": "plain", "tools": ["child.*"]}}))
    replies = [Wire(gateway.url("team")).call("tools/call", {"name": "echo", "arguments": {"text": str(n)}}, id=n) for n in range(8)]
    assert [reply.result["content"][0]["text"] for reply in replies] == [str(n) for n in range(8)]
    assert len({entry["pid"] for entry in child.journal.entries()}) == 1


@pytest.mark.quick
def test_a_child_gets_what_it_needs_of_the_environment_and_no_more(workshop):
    child = workshop.upstream("child", "current", "stdio")
    script = 'env | sed "s/^/env: /" >&2; echo "env: end" >&2; exec "$@"'
    settings = {"command": "/bin/sh", "args": ["-c", script, "x", *child.command], "env": {"GIVEN": "given"}}
    configuration = workshop.configuration({"child": settings}, {"team": {"tools": ["child.echo"]}})
    gateway = workshop.gateway(configuration, environment={"SOMEBODYS_TOKEN": "s3cret", "LC_ALL": "C.UTF-8", "HTTPS_PROXY": "http://p.test:1"})
    gateway.ready()
    gateway.process.wait_for("env: end")
    log = gateway.process.stderr
    assert "s3cret" not in log and "SOMEBODYS_TOKEN" not in log
    for wanted in ("GIVEN=given", "LC_ALL=C.UTF-8", "HTTPS_PROXY=http://p.test:1", f"HOME={workshop.folder}", "PATH="):
        assert f"env: {wanted}" in log, wanted


# Reload

@pytest.mark.parametrize("sdk, transport", [("current", "http"), ("legacy", "http"), ("legacy", "sse"), ("current", "stdio"), ("legacy", "stdio")])
@pytest.mark.parametrize("change", ["changed", "removed"])
def test_a_call_outlives_a_reload_that_touches_its_upstream(workshop, sdk, transport, change):
    upstream = workshop.upstream("one", sdk, transport)
    servers = {"team": {"names": "plain", "tools": ["one.*"]}}
    configuration = workshop.configuration({"one": upstream.settings()}, servers)
    gateway = workshop.gateway(configuration)
    wire = Wire(gateway.url("team"))
    with wire.call("tools/call", {"name": "gated", "arguments": {"gate": "reload"}}, id="long", progressToken=1) as stream:
        stream.until(lambda m: m.get("method") == "notifications/progress")
        pid = upstream.journal.entries(event="call", tool="gated")[0]["pid"]
        if change == "changed":
            configuration.write_gateway({"upstreams": {"one": upstream.settings(timeout="55s")}})
            gateway.reload()
            eventually(lambda: "read anew" in gateway.process.stderr)
            # Others are served by the new definition at once.
            again = wire.call("tools/call", {"name": "whoami", "arguments": {}}).result["structuredContent"]["pid"]
            assert (again != pid) == (transport == "stdio")
        else:
            other = workshop.upstream("two")
            configuration.write_gateway({"upstreams": {"two": other.settings()}})
            configuration.write_server("team", {"names": "plain", "tools": ["two.echo"]})
            gateway.reload()
            eventually(lambda: [t["name"] for t in wire.call("tools/list").result["tools"]] == ["echo"])
        os.kill(pid, signal.SIGUSR1)
        answer = stream.answer()
        assert answer["id"] == "long" and answer["result"]["content"][0]["text"] == "released"
    if transport == "stdio":
        eventually(lambda: pid not in gateway.process.descendants(), what="the old child has ended")


# End

def start(workshop, transport, sdk="current", **limits):
    upstream = workshop.upstream("one", sdk, transport)
    configuration = workshop.configuration([upstream], {"team": {"names": "plain", "tools": ["one.*"]}}, limits=limits)
    return upstream, Gateway(configuration).start()


@pytest.mark.quick
@pytest.mark.parametrize("revision", ["2025-11-25", MODERN])
def test_a_call_to_a_child_is_finished_before_the_gateway_ends(workshop, revision):
    upstream, gateway = start(workshop, "stdio")
    try:
        wire = Wire(gateway.url("team"), revision)
        if revision != MODERN:
            wire.initialize()
        with wire.call("tools/call", {"name": "gated", "arguments": {"gate": "end"}}, progressToken=1) as stream:
            stream.until(lambda m: m.get("method") == "notifications/progress")
            gateway.process.child.terminate()
            eventually(lambda: gateway.status("/healthz") is None, what="no new connections")
            os.kill(upstream.journal.entries(event="call", tool="gated")[0]["pid"], signal.SIGUSR1)
            assert stream.answer()["result"]["content"][0]["text"] == "released"
        gateway.stop()
    finally:
        gateway.process.kill()


@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_a_call_that_does_not_end_does_not_keep_the_gateway(workshop, transport):
    _, gateway = start(workshop, transport, drain_time="1s")
    try:
        wire = Wire(gateway.url("team"))
        with wire.call("tools/call", {"name": "gated", "arguments": {"gate": "never"}}, progressToken=1) as stream:
            stream.until(lambda m: m.get("method") == "notifications/progress")
            began = time.monotonic()
            gateway.stop()
            assert time.monotonic() - began < 8, "one second to drain, the child's own grace, and a slow machine"
    finally:
        gateway.process.kill()


@pytest.mark.parametrize("sdk, transport", [("current", "http"), ("legacy", "http"), ("legacy", "sse"), ("current", "stdio")])
@pytest.mark.parametrize("revision, begun", [("2025-11-25", True), (MODERN, True), (MODERN, False)])
def test_a_call_that_does_not_end_is_told_so_before_the_connection_closes(workshop, sdk, transport, revision, begun):
    _, gateway = start(workshop, transport, sdk, drain_time="1s")
    try:
        wire = Wire(gateway.url("team"), revision)
        if revision != MODERN:
            wire.initialize()
        wire.call("tools/list").answer()
        replies = []

        def ask():
            params = {"name": "gated", "arguments": {"gate": "never"}}
            replies.append(wire.call("tools/call", params, id="last", **({"progressToken": 1} if begun else {})))
            replies[0].answer()

        calling = threading.Thread(target=ask)
        calling.start()
        eventually(lambda: workshop.folder.joinpath("one.journal").exists() and "waiting" in workshop.folder.joinpath("one.journal").read_text())
        gateway.stop()
        calling.join(PATIENCE)
        error = replies[0].error
        assert error["code"] == -32603 and "one" in error["message"] and replies[0].messages[-1]["id"] == "last"
    finally:
        gateway.process.kill()


@pytest.mark.parametrize("kind", ["mute child", "deaf child", "mute address", "half an answer"])
def test_the_end_of_the_gateway_breaks_off_an_opening(workshop, kind):
    """Opening may take 35 seconds; a service manager kills what takes too long, and its children are left."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = {"url": f"http://127.0.0.1:{silent.getsockname()[1]}/mcp"}
        settings = {
            "mute child": {"command": "sleep", "args": ["600"]},
            "deaf child": {"command": "/bin/sh", "args": ["-c", "trap '' TERM; sleep 600 & while :; do wait; done"]},
            "mute address": address, "half an answer": address,
        }[kind]
        gateway = Gateway(workshop.configuration({"one": settings}, {"team": {"tools": ["one.*"]}})).start()
        try:
            assert gateway.ready()["upstreams"]["one"]["state"] in ("idle", "connecting")
            if "child" in kind:
                eventually(lambda: gateway.process.descendants())
            else:
                connection, _ = silent.accept()
                assert b"server/discover" in connection.recv(65536)
                if kind == "half an answer":
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
            assert gateway.ready()["upstreams"]["one"]["state"] == "connecting"
            began = time.monotonic()
            gateway.stop()
            took = time.monotonic() - began
            # A child has two seconds to end, and two more after SIGTERM; without a word to the opening it takes five.
            assert took < {"mute child": 4.5, "deaf child": 8}.get(kind, 3)
        finally:
            gateway.process.kill()


@pytest.mark.quick
def test_a_second_gateway_on_the_same_port_says_so_and_ends(workshop):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {"team": {"tools": ["one.echo"]}})
    gateway = workshop.gateway(configuration)
    done = configuration.run("serve", "--listen", f"127.0.0.1:{gateway.port}")
    assert done.returncode == 1 and done.stdout == "" and str(gateway.port) in done.stderr and "use" in done.stderr
    assert gateway.status("/healthz") == 200


def test_children_end_when_the_gateway_is_killed(workshop):
    """Nothing can be done at SIGKILL, but a closed standard input is the end for every MCP server."""
    _, gateway = start(workshop, "stdio")
    try:
        assert Wire(gateway.url("team")).call("tools/call", {"name": "echo", "arguments": {"text": "x"}}).result
        gateway.process.child.kill()
        gateway.process.child.wait()
        eventually(lambda: not gateway.process.descendants())
    finally:
        gateway.process.kill()
