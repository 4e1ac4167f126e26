"""What this version does not do yet: tests of it are kept, and skipped, until it does."""

import pytest

prompts_and_resources = pytest.mark.skip(reason="prompts and resources are not served yet")
