"""Tasks over every transport, and with peers that others wrote: the older SDK has them on both sides, the current one has none."""

import pytest
from harness.clients import Target, connect
from harness.deadline import eventually
from harness.gateway import Configuration, Gateway
from harness.tasks import DECLARED, TaskUpstream
from harness.upstream import Upstream, running
from test_tasks import LEGACY, MODERN, TaskClient

pytestmark = [pytest.mark.gateway, pytest.mark.anyio]

TRANSPORTS = ("http", "sse", "stdio")
BY_HAND = [("modern", "stdio"), ("legacy", "stdio"), ("legacy", "sse")]


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """A gateway over the SDK's server by each transport, shown by their names; and over the one by hand, as `ERA-TRANSPORT`."""
    folder = tmp_path_factory.mktemp("task-peers")
    upstreams = {transport: Upstream(folder, transport, "legacy", transport, "tasks") for transport in TRANSPORTS}
    by_hand = {f"{era}-{transport}": TaskUpstream(era) for era, transport in BY_HAND}
    with running(*upstreams.values()):
        settings = {name: upstream.settings() for name, upstream in upstreams.items()}
        settings |= {name: upstream.settings(name.split("-")[1]) for name, upstream in by_hand.items()}
        servers = {name: {"names": "plain", "tools": [f"{name}.*"], "new_tools": "show"} for name in settings}
        with Gateway(Configuration(folder, settings, servers)) as gateway:
            eventually(lambda: all(state["state"] == "up" for state in gateway.ready()["upstreams"].values()), within=30)
            yield gateway, by_hand
    for upstream in by_hand.values():
        upstream.stop()


# The older SDK as the client, by each of its transports

@pytest.mark.parametrize("client", ["old-http", "old-sse", "old-stdio"])
@pytest.mark.parametrize("upstream", TRANSPORTS)
async def test_the_sdks_client_follows_the_tasks_of_the_sdks_server(servers, client, upstream):
    async with connect(client, Target.server(servers[0], upstream), answering=True) as session:
        assert (await session.call("greet"))["content"][0]["text"] == "greet at once"
        assert (await session.task("count"))["content"][0]["text"] == "counted"
        assert (await session.task("wait", then="cancel"))["status"] == "cancelled"
        # What a task asks reaches its client.
        assert (await session.task("confirm"))["content"][0]["text"] == "accept: my name"


# By hand: what becomes of them in the client's revision

@pytest.mark.parametrize("upstream", TRANSPORTS)
@pytest.mark.parametrize("revision", [LEGACY, MODERN])
async def test_a_task_of_the_sdks_server_is_followed_to_its_end(servers, revision, upstream):
    client = TaskClient(servers[0].url(upstream), revision)
    task = client.create("count")
    assert client.ended(task["taskId"])["status"] == "completed"
    assert client.outcome(task["taskId"])["content"][0]["text"] == "counted"
    task = client.create("wait")
    assert client.look(task["taskId"])["status"] == "working"
    client.ask("tasks/cancel", taskId=task["taskId"]).result
    assert client.look(task["taskId"])["status"] == "cancelled"
    broken = client.ended(client.create("break")["taskId"])
    assert broken["status"] == "failed"
    if revision == MODERN:
        assert broken["error"]["code"] == -32603 and "result" not in broken
    else:
        # Neither has a result: the upstream's library says so with an empty one.
        fault = client.ask("tasks/result", taskId=broken["taskId"]).error
        assert fault["code"] == -32603 and fault["message"].startswith("The task failed")
        fault = client.ask("tasks/result", taskId=task["taskId"]).error
        assert fault["code"] == -32603 and fault["message"].startswith("The task was cancelled")


@pytest.mark.parametrize("era, transport", BY_HAND)
@pytest.mark.parametrize("revision", [LEGACY, MODERN])
async def test_tasks_are_followed_over_every_transport(servers, revision, era, transport):
    client, upstream = TaskClient(servers[0].url(f"{era}-{transport}"), revision), servers[1][f"{era}-{transport}"]
    if revision == LEGACY and era == "modern":
        # The gateway waits for it: a modern upstream makes tasks unasked.
        assert client.ask("tools/call", name="must", arguments={}).result["content"][0]["text"] == "must done"
        return
    task = client.create("slow", x=1)
    assert upstream.last not in str(task)
    assert client.ended(task["taskId"])["status"] == "completed"
    assert client.outcome(task["taskId"])["content"][0]["text"] == "slow done"
    assert client.outcome(client.create("failing")["taskId"])["code"] == -32050
    task = client.create("slow")
    client.ask("tasks/cancel", taskId=task["taskId"]).result
    assert upstream.tasks[upstream.last]["status"] == "cancelled"


async def test_a_task_over_stdio_that_asks_is_answered_by_an_update(servers):
    client = TaskClient(servers[0].url("modern-stdio"), MODERN)
    client.capabilities = {**DECLARED, "elicitation": {}}
    id = client.create("ask")["taskId"]
    assert list(client.look(id)["inputRequests"]) == ["q1"]
    client.ask("tasks/update", taskId=id, inputResponses={"q1": {"action": "accept", "content": {"yes": True}}}).result
    assert client.outcome(id)["content"][0]["text"] == "ask done"


@pytest.mark.parametrize("upstream", TRANSPORTS)
async def test_for_a_client_without_tasks_the_gateway_waits_for_the_sdks_server(servers, upstream):
    client = TaskClient(servers[0].url(upstream), "2025-06-18")
    assert client.ask("tools/call", name="count", arguments={}).result["content"][0]["text"] == "count at once"
