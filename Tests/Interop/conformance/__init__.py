"""The official conformance suite's scenarios for servers, as checks of our own; each module registers some with `registry.scenario`."""

from . import dns_rebinding, input_required, lifecycle, polling, prompts, questions, resources, schema  # noqa: F401
from . import stateless, tasks, tools, utilities  # noqa: F401
