"""The scenarios by name and revision, and what they are given."""

import pathlib
import re

from harness.peer import Peer
from harness.schemas import FOLDER, MODERN

LEGACY = "2025-11-25"
BOTH = (LEGACY, MODERN)

# (name, revision): (check, what it needs of harness/pending.py)
SCENARIOS = {}

# Those of the tasks extension, for modern clients, in cells of their own. name: (check, whether only a modern upstream can play it)
TASKS = {}

# name of a cell: upstream of `world`, for a client of each era
CELLS = {
    "direct": {LEGACY: "older", MODERN: "modern"},
    "same-http": {LEGACY: "older", MODERN: "modern"},
    "same-stdio": {LEGACY: "oldchild", MODERN: "child"},
    "other-http": {LEGACY: "modern", MODERN: "older"},
    "other-stdio": {LEGACY: "child", MODERN: "oldchild"},
}


class Case:
    """One scenario in one cell. `same`: the upstream speaks the era of the client, so that all of the scenario holds as it is written."""

    def __init__(self, url, revision, same, direct):
        self.url, self.revision, self.same, self.direct = url, revision, same, direct
        self.modern = revision == MODERN
        self.known = None

    def open(self, **how):
        return Peer(self.url, self.revision, **how)

    @property
    def peer(self):
        """A client with the suite's capabilities."""
        self.known = self.known or self.open()
        return self.known


def scenario(name, revisions=BOTH, needs=()):
    def register(check):
        for revision in revisions:
            assert (name, revision) not in SCENARIOS, name
            SCENARIOS[name, revision] = check, (needs,) if isinstance(needs, str) else tuple(needs)
        return check
    return register


def task_scenario(name, modern_only=False):
    def register(check):
        assert name not in TASKS, name
        TASKS[name] = check, modern_only
        return check
    return register


def required(revision):
    """The `server:` list of the official requirements; the file is YAML of the simplest kind."""
    text = (pathlib.Path(FOLDER) / revision / "conformance-requirements.yaml").read_text(encoding="utf-8")
    block = re.search(r"^server:\n((?:  - .*\n)+)", text, re.M).group(1)
    return [line.strip().removeprefix("- ") for line in block.splitlines()]
