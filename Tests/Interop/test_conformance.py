"""The official conformance suite's scenarios for servers: straight to an upstream, which proves the check and the upstream, and through
Switchboard in four cells, the upstream speaking the client's era or the other, over HTTP or stdio."""

import conformance  # noqa: F401
import pytest
from conformance.registry import CELLS, LEGACY, SCENARIOS, Case, required
from harness.pending import PENDING
from harness.schemas import MODERN

# Run, but not among what the suite requires.
NOT_REQUIRED = {"json-schema-2020-12", "server-session-lifecycle"}

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


@pytest.mark.quick
@pytest.mark.parametrize("revision", [LEGACY, MODERN])
def test_every_required_scenario_is_here(revision):
    assert {name for name, known in SCENARIOS if known == revision} - NOT_REQUIRED == set(required(revision))
