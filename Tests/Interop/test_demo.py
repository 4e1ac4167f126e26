"""What a newcomer runs first."""

import os
import subprocess

import pytest
from harness.deadline import eventually
from harness.gateway import BINARY
from harness.process import MARK, Process, marked

pytestmark = pytest.mark.gateway


@pytest.mark.timeout(150)
def test_the_demo_lists_calls_explains_itself_and_leaves_nothing(tmp_path):
    mark = tmp_path.name
    done = subprocess.run(
        [BINARY, "demo", "--once"], capture_output=True, text=True, timeout=140, cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), MARK: mark})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "http://127.0.0.1:" in done.stdout and "refused" in done.stdout
    # The review agent: refused, on record with the rule's place, and GitHub's token upstream rather than the agent's key.
    assert "delete_branch      → refused: Unknown tool: delete_branch" in done.stdout
    assert "review.yaml:" in done.stdout and "client          pr-review-bot" in done.stdout
    assert "Authorization: Bearer ghs_demo" in done.stdout and "Bearer sb_" not in done.stdout
    assert 10 <= len(done.stdout.splitlines()) <= 120, "half a minute's reading"
    eventually(lambda: not marked(mark), within=5)


@pytest.mark.timeout(150)
def test_the_demo_serves_until_it_is_interrupted(tmp_path):
    said = []
    demo = Process([BINARY, "demo"], {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}, folder=tmp_path, pipes=True)
    try:
        for line in demo.child.stdout:
            said.append(line.decode())
            if "Ctrl-C" in said[-1]:
                break
        said = "".join(said)
        assert "as long as the demo runs" in said, said
        assert "claude mcp add" in said and "http://127.0.0.1:" in said and "Ctrl-C" in said, said + demo.stderr
        assert demo.descendants()
    finally:
        demo.stop()
