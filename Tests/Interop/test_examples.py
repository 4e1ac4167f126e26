"""Every example in the repository loads, as it stands there."""

import os
import shutil
import subprocess

import pytest
from harness.gateway import BINARY, ROOT

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/gateway.yaml"))
assert EXAMPLES, "no examples found"


@pytest.mark.gateway
@pytest.mark.quick
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_passes_check(example, tmp_path):
    folder = tmp_path / example.name
    shutil.copytree(example, folder)
    (folder / "docs.token").write_text("x")
    done = subprocess.run(
        [BINARY, "check", "--config", str(folder / "gateway.yaml")], capture_output=True, text=True, timeout=30,
        env={**os.environ, "GITHUB_TOKEN": "x"})
    assert done.returncode == 0, done.stdout + done.stderr
