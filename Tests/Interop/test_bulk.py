"""Much at once: big messages, spread-out messages, floods, slow readers, many connections."""

import contextlib
import http.client
import json
import socket

import pytest
from conftest import UPSTREAMS
from harness.deadline import PATIENCE, eventually
from harness.schemas import MODERN
from harness.wire import Wire

pytestmark = pytest.mark.gateway

MANY = 3_000_000


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_big_arguments_and_results_pass(world, upstream):
    text = "0123456789" * (MANY // 10)
    result = Wire(world.url(upstream)).call("tools/call", {"name": "echo", "arguments": {"text": text}}).result
    assert result["content"][0]["text"] == text


@pytest.mark.quick
@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("revision", ["2025-11-25", MODERN])
def test_a_request_over_several_lines_passes(world, upstream, revision):
    """A pipe has one line for each message, whatever its spelling was."""
    wire = Wire(world.url(upstream), revision)
    if revision != MODERN:
        wire.initialize()
    arguments = {"repo": "acme/web", "base": "main", "token": "a\nb\r\nc", "labels": [{"a": [1, [2, {}]]}]}
    result = wire.call("tools/call", {"name": "open_pull", "arguments": arguments}, indent=2).result
    assert result["structuredContent"]["received"] == arguments


@pytest.mark.parametrize("upstream", ["modern", "older", "sse", "child"])
def test_a_slow_reader_holds_up_nobody_else(world, upstream):
    # A session of the older SDK waits for each of its streams: what sockets don't hold stops it at its own end, whoever reads.
    steps, wire = 300 if upstream == "older" else 1_500, Wire(world.url(upstream))
    flood = {"name": "flood", "arguments": {"steps": steps, "bytes": 10_000}}
    with wire.call("tools/call", flood, window=65_536, progressToken="flood") as slow:
        assert slow.next()["params"]["progress"] == 1
        for number in range(5):
            began = Wire(world.url(upstream)).call("tools/call", {"name": "echo", "arguments": {"text": str(number)}})
            assert began.result["content"][0]["text"] == str(number)
        # In order, it gets all or what was not too much to keep for it; too far behind, it gets an error or is cut off.
        last = 1
        with contextlib.suppress(http.client.HTTPException, ConnectionError):
            while message := slow.next():
                if "method" not in message:
                    assert "error" in message or message["result"]["content"][0]["text"] == "flooded"
                    break
                assert message["params"]["progress"] > last
                last = message["params"]["progress"]
    assert Wire(world.url(upstream)).call("tools/call", {"name": "echo", "arguments": {"text": "after"}}).result


@pytest.mark.quick
def test_connections_are_limited_and_places_become_free(workshop):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {"team": {"tools": ["one.echo"]}}, limits={"connections": 8})
    gateway = workshop.gateway(configuration)
    eventually(lambda: Wire(gateway.url("team")).call("tools/list").result["tools"])

    def connect():
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=PATIENCE)
        try:
            connection.request("GET", "/healthz")
            reply = connection.getresponse()
            reply.read()
            return connection, reply.status
        except (http.client.HTTPException, ConnectionError):
            return connection, None

    with contextlib.ExitStack() as stack:
        held = []
        # Those that made the list may still be closing.
        while len(held) < 8:
            connection, status = connect()
            if status == 200:
                held.append(connection)
                stack.callback(connection.close)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=PATIENCE) as surplus:
            surplus.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            try:
                answer = surplus.recv(1024)
            except ConnectionError:
                answer = b""
            assert answer == b"" or answer.startswith(b"HTTP/1.1 503"), answer
        # The others are as they were; a place that becomes free is given away.
        held[0].request("GET", "/healthz")
        assert held[0].getresponse().read() is not None
        held[1].close()
        eventually(lambda: gateway.status("/healthz") == 200)


@pytest.mark.quick
def test_a_hundred_calls_at_once_are_all_answered(world):
    wire = Wire(world.url("modern"))
    with contextlib.ExitStack() as stack:
        replies = [
            stack.enter_context(wire.call("tools/call", {"name": "gated", "arguments": {"gate": "hundred"}}, id=number, progressToken=number))
            for number in range(100)]
        assert wire.call("tools/call", {"name": "release", "arguments": {"gate": "hundred"}}).result
        for number, reply in enumerate(replies):
            assert reply.answer()["id"] == number
            assert {m["params"]["progressToken"] for m in reply.notifications} == {number}


@pytest.mark.parametrize("revision", ["2025-11-25", MODERN])
def test_a_spread_out_request_and_a_big_one_pass_the_pipe(world, revision):
    from test_stdio import Pipe
    pipe = Pipe(world.gateway.configuration, "via-older", revision)
    try:
        pipe.open()
        text = "x" * MANY
        assert pipe.ask("tools/call", {"name": "echo", "arguments": {"text": text}}, id=1)["result"]["content"][0]["text"] == text
        line = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping" if revision != MODERN else "nothing"}, separators=(" , ", " : "))
        pipe.write(line.encode() + b"\n")
        assert pipe.until(lambda m: m.get("id") == 2)
        pipe.close()
    finally:
        pipe.process.kill()
