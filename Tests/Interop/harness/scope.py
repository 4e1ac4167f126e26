"""What this version does not do yet: tests of it are kept, and skipped, until it does."""

import os

import pytest


def later(what):
    """INTEROP_ALL=1 runs them all the same."""
    return pytest.mark.skipif(os.environ.get("INTEROP_ALL") != "1", reason=f"{what} not there yet")


prompts_and_resources = pytest.mark.skip(reason="prompts and resources are not served yet")
identity = later("callers of issuers are")
policy = later("roles and policy are")
credentials = later("credentials by OAuth are")
