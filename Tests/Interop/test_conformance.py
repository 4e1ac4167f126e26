"""The official conformance suite's scenarios for servers: straight to an upstream, which proves the check and the upstream, and through
Switchboard in four cells, the upstream speaking the client's era or the other, over HTTP or stdio."""

import conformance  # noqa: F401
import pytest
from conformance.registry import CELLS, LEGACY, SCENARIOS, TASKS, Case, required
from harness.deadline import eventually
from harness.gateway import Configuration, Gateway
from harness.pending import PENDING
from harness.schemas import MODERN
from harness.tasks_suite import SuiteTaskUpstream

# Run, but not among what the suite requires.
NOT_REQUIRED = {"json-schema-2020-12", "server-session-lifecycle", "server-sse-polling"}

# The SDK's servers keep no streams.
THROUGH_ONLY = {"server-sse-polling"}

# What these clients send is against the schema on purpose, and may reach the upstream as it is.
SPOILS = {"input-required-result-validate-input"}


def is_missing(need, revision, cell):
    if cell == "direct" or (need == "questions" and revision == MODERN and cell.startswith("same")):
        return False
    return need in PENDING


def cases():
    found = []
    for (name, revision), (_, needs) in SCENARIOS.items():
        for cell in CELLS:
            if cell == "direct" and name in THROUGH_ONLY:
                continue
            missing = [pytest.mark.skip(reason=PENDING[need]) for need in needs if is_missing(need, revision, cell)]
            through = [] if cell == "direct" else [pytest.mark.gateway]
            found.append(pytest.param(name, revision, cell, marks=missing + through, id=f"{name}-{revision}-{cell}"))
    return found


@pytest.mark.parametrize("name, revision, cell", cases())
def test_a_scenario_passes(world, name, revision, cell):
    upstream = CELLS[cell][revision]
    direct = cell == "direct"
    url = world.upstreams[upstream].url if direct else world.target(upstream).urls["http"]
    check, _ = SCENARIOS[name, revision]
    traffic = world.upstreams[upstream].traffic
    traffic.skip()
    check(Case(url, revision, same=not cell.startswith("other"), direct=direct))
    if not direct and name not in SPOILS:
        traffic.check()


# The upstream's era, and how it is reached.
TASK_CELLS = [("modern", "http"), ("modern", "stdio"), ("legacy", "http"), ("legacy", "stdio"), ("legacy", "sse")]


@pytest.fixture(scope="session")
def task_servers(tmp_path_factory):
    """One gateway over an upstream for each cell, which shows it as `ERA-TRANSPORT`."""
    upstreams = {f"{era}-{transport}": SuiteTaskUpstream(era) for era, transport in TASK_CELLS}
    settings = {name: upstream.settings(name.split("-")[1]) for name, upstream in upstreams.items()}
    servers = {name: {"names": "plain", "tools": [f"{name}.*"], "new_tools": "show"} for name in upstreams}
    with Gateway(Configuration(tmp_path_factory.mktemp("tasks"), settings, servers)) as gateway:
        eventually(lambda: all(state["state"] == "up" for state in gateway.ready()["upstreams"].values()), within=30)
        yield gateway
    for upstream in upstreams.values():
        upstream.stop()


@pytest.mark.gateway
@pytest.mark.parametrize("name, era, transport", [
    (name, *cell) for name, (_, modern_only) in TASKS.items() for cell in TASK_CELLS if cell[0] == "modern" or not modern_only])
def test_a_scenario_for_tasks_passes(task_servers, name, era, transport):
    TASKS[name][0](task_servers.url(f"{era}-{transport}"))


@pytest.mark.quick
@pytest.mark.parametrize("revision", [LEGACY, MODERN])
def test_every_required_scenario_is_here(revision):
    assert {name for name, known in SCENARIOS if known == revision} - NOT_REQUIRED == set(required(revision))
