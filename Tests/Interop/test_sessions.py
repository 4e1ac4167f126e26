"""Sessions that cannot lie: their ends, their streams, and the instances of upstreams that belong to them."""

import os
import time

import pytest
from harness.deadline import eventually
from harness.gateway import Gateway
from harness.wire import Wire, request

pytestmark = pytest.mark.gateway

REVISIONS = ("2025-03-26", "2025-06-18", "2025-11-25")


def serve(workshop, upstream, **settings):
    configuration = workshop.configuration(
        {upstream.name: upstream.settings(**settings)}, {"team": {"names": "plain", "tools": [f"{upstream.name}.*"], "new_tools": "show"}})
    return configuration, workshop.gateway(configuration)


def opened(gateway, revision="2025-11-25", capabilities=None):
    wire = Wire(gateway.url("team"), revision)
    wire.initialize(capabilities=capabilities)
    return wire


def pid(wire):
    return wire.call("tools/call", {"name": "whoami", "arguments": {}}).result["structuredContent"]["pid"]


def runs(number):
    try:
        os.kill(number, 0)
        return True
    except ProcessLookupError:
        return False


# Ends

def test_an_ended_session_stays_ended_after_a_restart_and_in_other_instances(workshop):
    configuration, gateway = serve(workshop, workshop.upstream("one"))
    other = workshop.stack.enter_context(Gateway(configuration).start())
    ended, kept = opened(gateway), opened(gateway)
    there = Wire(other.url("team"), ended.revision)
    there.session = ended.session
    assert there.call("tools/list").result["tools"], "a session is good in every instance"
    assert ended.delete().status == 200
    eventually(lambda: there.post(request("tools/list", {})).status == 404)
    port = gateway.port
    gateway.stop()
    gateway.start(port)
    assert ended.post(request("tools/list", {})).status == 404
    assert kept.call("tools/list").result["tools"]


def test_a_session_runs_out(workshop):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration(
        [upstream], {"team": {"names": "plain", "tools": ["one.*"]}}, limits={"session_time": "1s"})
    wire = opened(workshop.gateway(configuration))
    eventually(lambda: wire.post(request("tools/list", {})).status == 404)


# Instances

def test_each_session_has_a_child_of_its_own_that_ends_with_it(workshop):
    _, gateway = serve(workshop, workshop.upstream("one", "legacy", "stdio"), instances="per-session")
    first, second = opened(gateway), opened(gateway)
    mine, other = pid(first), pid(second)
    assert mine != other and pid(first) == mine
    first.delete()
    eventually(lambda: not runs(mine))
    assert runs(other) and pid(second) == other


def test_clients_of_different_abilities_do_not_share_a_legacy_child(workshop):
    _, gateway = serve(workshop, workshop.upstream("one", "legacy", "stdio"))
    plain, able = opened(gateway), opened(gateway, capabilities={"elicitation": {}, "roots": {}})
    assert pid(plain) != pid(able)
    assert pid(opened(gateway, capabilities={"roots": {"listChanged": False}, "elicitation": {"form": {}}})) == pid(able)
    assert pid(opened(gateway, capabilities={"roots": {"listChanged": True}, "elicitation": {}})) != pid(able), "it is told who says when they change"


def test_clients_of_different_abilities_share_a_modern_child(workshop):
    _, gateway = serve(workshop, workshop.upstream("one", "current", "stdio"))
    assert pid(opened(gateway)) == pid(opened(gateway, capabilities={"elicitation": {}, "roots": {}}))


# Streams that are taken up again

class Events:
    """The events of a stream with their ids."""

    def __init__(self, reply):
        assert reply.status == 200 and reply.is_stream, (reply.status, reply.body)
        self.reply = reply

    def next(self):
        """(id, data) of the next event; None at the end."""
        fields = {}
        while True:
            line = self.reply.response.readline()
            if not line:
                return None
            line = line.decode().rstrip("\r\n")
            if not line:
                if "data" in fields:
                    return fields.get("id"), fields["data"]
                continue
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")


def listen(wire, last):
    headers = {"Accept": "text/event-stream", "MCP-Protocol-Version": wire.revision, "Mcp-Session-Id": wire.session, "Last-Event-ID": last}
    return wire.send("GET", headers=headers)


def begin(wire, gate):
    """A call that waits at a gate, and the id of the last event that came."""
    stream = wire.call("tools/call", {"name": "gated", "arguments": {"gate": gate}}, id=7, progressToken="p")
    events = Events(stream)
    id, data = events.next()
    if wire.revision >= "2025-11-25":
        assert id and data == "", "the stream begins with an event that has an id only"
        id, data = events.next()
    assert id and "notifications/progress" in data
    return stream, id


def release(gateway, gate):
    opened(gateway).call("tools/call", {"name": "release", "arguments": {"gate": gate}}).result


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("when", ["before the answer", "after it"])
def test_a_call_whose_connection_broke_is_answered_where_the_client_takes_its_stream_up(workshop, revision, when):
    _, gateway = serve(workshop, workshop.upstream("one"))
    wire = opened(gateway, revision)
    stream, last = begin(wire, "r")
    stream.close()
    if when == "after it":
        release(gateway, "r")
    again = Events(listen(wire, last))
    if when == "before the answer":
        release(gateway, "r")
    seen = []
    while (event := again.next()) is not None:
        seen.append(event)
    id, data = seen[-1]
    assert '"id":7' in data.replace(" ", "") and "released" in data and id != last
    assert not any('"progress":1,' in data.replace(" ", "") for _, data in seen), "what was seen does not come again"
    # Once more, from the same place: the same answer.
    assert Events(listen(wire, last)).next()[1] == seen[0][1]


def test_a_stream_is_its_sessions_alone(workshop):
    _, gateway = serve(workshop, workshop.upstream("one"))
    wire, other = opened(gateway), opened(gateway)
    stream, last = begin(wire, "alone")
    stream.close()
    assert listen(other, last).status == 400
    assert listen(wire, last[:-3] + "AA.1").status == 400
    release(gateway, "alone")


def test_a_client_that_comes_back_to_its_own_stream_is_told_that_lists_may_have_changed(workshop):
    _, gateway = serve(workshop, workshop.upstream("one"))
    wire = opened(gateway)
    first = wire.listen()
    id, data = Events(first).next()
    assert id and data == ""
    first.close()
    again = Events(listen(wire, id))
    assert again.next()[1] == ""
    assert "notifications/tools/list_changed" in again.next()[1]


def test_an_upstream_that_comes_back_with_other_tools_shows_them_and_says_so(workshop):
    upstream = workshop.upstream("one", "legacy", "http")
    _, gateway = serve(workshop, upstream)
    wire = opened(gateway)
    before = {tool["name"] for tool in wire.call("tools/list").result["tools"]}
    port = upstream.port
    upstream.stop()
    upstream.command[upstream.command.index("plain")] = "paged"
    stream = wire.listen()
    upstream.start(port)
    events = Events(stream)
    deadline = time.monotonic() + 60
    while "list_changed" not in (events.next() or ("", ""))[1]:
        assert time.monotonic() < deadline
    eventually(lambda: {tool["name"] for tool in wire.call("tools/list").result["tools"]} not in (before, set()), within=30)
