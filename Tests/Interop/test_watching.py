"""Watching resources: fairly among callers, at once where it can be, and through restarts and reloads of the upstream."""

import contextlib
import os
import signal
import sys
import time

import pytest
from harness.deadline import eventually
from harness.schemas import MODERN
from harness.upstream import UPSTREAMS, Journal
from harness.wire import Wire, request

pytestmark = pytest.mark.gateway

LEGACY = "2025-11-25"
SHELF = {"names": "plain", "tools": ["shelf.*"], "resources": ["shelf.*"]}


class Shelf:
    """A gateway over a child that lets any resource be subscribed to, each after `delay` seconds."""

    def __init__(self, workshop, delay=0.0, identity=False, **more):
        self.journal = Journal(workshop.folder / "shelf.journal")
        self.environment = {"SHELF_DELAY": str(delay), "SHELF_JOURNAL": str(self.journal.path)}
        self.more = {**more, **({"identity": {"keys_file": "keys.yaml"}} if identity else {})}
        self.configuration = workshop.configuration(self.upstreams(), {"team": SHELF}, **self.more)
        self.gateway = workshop.gateway(self.configuration)

    def upstreams(self, **environment):
        script = str(UPSTREAMS / "shelf.py")
        return {"shelf": {"command": sys.executable, "args": ["-u", script], "env": {**self.environment, **environment}}}

    def replace(self):
        """A new definition of the upstream, put in force."""
        starts = len(self.journal.entries(event="start"))
        self.configuration.write_gateway({**self.more, "upstreams": self.upstreams(SHELF_NEW="1")})
        self.gateway.reload()
        eventually(lambda: len(self.journal.entries(event="start")) > starts, what="the new one has started")

    def key(self, name):
        done = self.configuration.run("key", "new", name)
        assert done.returncode == 0, done.stderr
        return {"Authorization": f"Bearer {done.stdout.strip()}"}

    def wire(self, revision=MODERN, proof=None):
        wire = Wire(self.gateway.url("team"), revision, proof)
        if revision != MODERN:
            wire.initialize()
        return wire

    def subscribed(self, uri):
        return uri in [entry["uri"] for entry in self.journal.entries(event="subscribe")]


def listen(wire, uris, **more):
    return wire.call("subscriptions/listen", {"notifications": {"resourceSubscriptions": uris, **more}}, id="watch")


def touch(wire, uri):
    return wire.call("tools/call", {"name": "touch", "arguments": {"uri": uri}}).result["content"][0]["text"] == "touched"


def acknowledged(stream):
    message = stream.next()
    assert message["method"] == "notifications/subscriptions/acknowledged", message
    return message["params"]["notifications"].get("resourceSubscriptions", [])


def test_one_callers_thousands_do_not_keep_out_another(workshop):
    shelf = Shelf(workshop, delay=0.03, identity=True)
    alice, bob = shelf.key("alice"), shelf.key("bob")
    eventually(lambda: shelf.wire(proof=alice).call("tools/list").status == 200 and shelf.wire(proof=bob).call("tools/list").status == 200)
    with contextlib.ExitStack() as flood:
        for number in range(5):
            stream = flood.enter_context(listen(shelf.wire(proof=bob), [f"shelf://bob/{number}/{n}" for n in range(1_000)]))
            assert stream.status == 200
        began = time.monotonic()
        mine = listen(shelf.wire(proof=alice), ["shelf://alice"])
        assert acknowledged(mine) == ["shelf://alice"] and shelf.subscribed("shelf://alice")
        assert time.monotonic() - began < 2, "within the time for an answer, not after bob's five thousand"
        old = shelf.wire(LEGACY, alice)
        assert old.call("resources/subscribe", {"uri": "shelf://legacy"}).result == {}
        # In the end Bob has as much as one caller may have.
        greedy = shelf.wire(LEGACY, bob)
        error = eventually(lambda: greedy.call("resources/subscribe", {"uri": "shelf://more"}).error, what="all are counted")
        assert error["code"] == -32602 and "Too many" in error["message"]
        with listen(shelf.wire(proof=bob), ["shelf://more"]) as more:
            assert acknowledged(more) == []
    # What he no longer wants is not asked for, and what was is given up.
    eventually(lambda: len(shelf.journal.entries(event="unsubscribe")) == len(shelf.journal.entries(event="subscribe")) - 2,
               within=60, what="bob's are given up")
    assert len(shelf.journal.entries(event="subscribe")) < 4_000
    assert touch(shelf.wire(proof=alice), "shelf://alice") and mine.next()["params"]["uri"] == "shelf://alice"
    mine.close()


@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_more_than_fits_in_one_request_to_a_modern_upstream_is_asked_for_in_several(workshop, transport):
    library = workshop.upstream("library", "current", transport, "library")
    gateway = workshop.gateway(workshop.configuration([library], {"team": {"names": "plain", "tools": ["library.*"], "resources": ["library.*"]}}))
    bob, alice = Wire(gateway.url("team")), Wire(gateway.url("team"))
    eventually(lambda: bob.call("tools/list").result["tools"], what="the upstream is up")
    long = "x" * 1_000
    with listen(bob, [f"lib://book/{n}-{long}" for n in range(300)]), listen(alice, ["lib://one"]) as mine:
        assert acknowledged(mine) == ["lib://one"]
        eventually(lambda: any("lib://one" in (entry["uris"] or []) for entry in library.journal.entries(event="listen")))
        alice.call("tools/call", {"name": "touch", "arguments": {"uri": "lib://one"}}).answer()
        assert mine.next()["params"]["uri"] == "lib://one"
    assert max(sum(map(len, entry["uris"] or [])) for entry in library.journal.entries(event="listen")) <= 256 << 10


def test_a_stream_opens_at_once_and_what_comes_late_is_followed_by_an_update(workshop):
    shelf = Shelf(workshop, delay=4, limits={"heartbeat": "1s"})
    wire = shelf.wire()
    wire.call("tools/list")
    began = time.monotonic()
    with listen(wire, ["shelf://slow"]) as stream:
        assert time.monotonic() - began < 1.5 and stream.is_stream
        assert stream.response.readline().startswith(b":")
        # Agreed to, though the upstream has not answered; changes until it has are not lost.
        assert acknowledged(stream) == ["shelf://slow"] and not shelf.subscribed("shelf://slow")
        update = stream.next()
        assert (update["method"], update["params"]["uri"]) == ("notifications/resources/updated", "shelf://slow")
        assert shelf.subscribed("shelf://slow")


@pytest.mark.parametrize("how", ["the upstream is replaced by a reload", "the upstream ends and starts again"])
def test_watches_go_on_where(workshop, how):
    shelf = Shelf(workshop)
    old, new = shelf.wire(LEGACY), shelf.wire()
    new.call("tools/list")
    with old.listen() as first, listen(new, ["shelf://one"]) as second:
        assert old.call("resources/subscribe", {"uri": "shelf://one"}).result == {}
        assert acknowledged(second) == ["shelf://one"]
        if "reload" in how:
            shelf.replace()
        else:
            child = int(os.popen(f"pgrep -P {shelf.gateway.process.pid}").read().split()[0])
            os.kill(child, signal.SIGKILL)
        for stream in (first, second):
            # Nobody knows what changed meanwhile.
            stream.until(lambda m: m["method"] == "notifications/resources/updated" and m["params"]["uri"] == "shelf://one")
            stream.messages.clear()
        eventually(lambda: touch(new, "shelf://one"), what="the new one is subscribed to it")
        for stream in (first, second):
            stream.until(lambda m: m["method"] == "notifications/resources/updated")


@pytest.mark.parametrize("stream", ["subscriptions/listen", "GET", "SSE", "a slow tool's"])
def test_a_quiet_stream_is_kept_alive(workshop, stream):
    shelf = Shelf(workshop, limits={"heartbeat": "1s"})
    wire = shelf.wire(LEGACY if stream in ("GET", "SSE") else MODERN)
    if stream == "GET":
        reply = wire.listen()
    elif stream == "SSE":
        reply = Wire(shelf.gateway.sse_url("team"), "2024-11-05").send("GET", headers={"Accept": "text/event-stream"})
    elif stream == "subscriptions/listen":
        reply = listen(wire, [], toolsListChanged=True)
    else:
        shelf.wire(LEGACY).call("tools/list")
        reply = wire.call("tools/call", {"name": "touch", "arguments": {"uri": "shelf://never"}})
    with reply:
        beats = 0
        while beats < 3:
            beats += reply.response.readline().startswith(b":")


def test_a_session_whose_end_can_not_be_written_down_is_told_so_and_ends_for_good_when_it_can(workshop):
    shelf = Shelf(workshop)
    wire, port = shelf.wire(LEGACY), shelf.gateway.port
    ended = workshop.folder / "state" / "switchboard" / "ended-sessions"
    ended.parent.mkdir(parents=True, exist_ok=True)
    ended.mkdir()
    refused = wire.delete()
    assert refused.status == 503 and refused.messages[0]["error"]["code"] == -32603
    assert wire.post(request("tools/list", {})).status == 404, "it has ended here"
    assert wire.delete().status == 503
    ended.rmdir()
    assert wire.delete().status in (200, 404), "asked for again, or written down by itself before"
    eventually(lambda: ended.is_file())
    os.kill(shelf.gateway.process.pid, signal.SIGKILL)
    eventually(lambda: not shelf.gateway.process.is_running)
    shelf.gateway.start(port)
    assert wire.post(request("tools/list", {})).status == 404
