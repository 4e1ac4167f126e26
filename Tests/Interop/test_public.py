"""Public servers from PyPI behind one virtual server."""

import json
import os
import subprocess
import sys

import pytest
from harness.clients import Target, connect, list_tools

pytestmark = [pytest.mark.gateway, pytest.mark.anyio]


@pytest.mark.parametrize("client", ["http-modern", "old-stdio"])
async def test_the_time_and_git_servers_are_usable(workshop, client):
    folder = workshop.folder / "repository"
    folder.mkdir()
    identity = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com"}
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "the first commit"]):
        subprocess.run(["git", *command], cwd=folder, check=True, env={**os.environ, **identity})
    configuration = workshop.configuration(
        {"time": {"command": sys.executable, "args": ["-m", "mcp_server_time", "--local-timezone", "UTC"]},
         "git": {"command": sys.executable, "args": ["-m", "mcp_server_git", "--repository", str(folder)]}},
        {"team": {"tools": ["time.*", {"tool": "git.git_log", "as": "history", "arguments": {"repo_path": {"fixed": str(folder)}}}]}})
    gateway = workshop.gateway(configuration)
    async with connect(client, Target.server(gateway, "team")) as session:
        tools = {tool["name"]: tool for tool in await list_tools(session, including=["time_get_current_time", "history"])}
        assert set(tools) >= {"time_get_current_time", "time_convert_time", "history"}
        assert "repo_path" not in tools["history"]["inputSchema"]["properties"]
        now = await session.call("time_get_current_time", {"timezone": "UTC"})
        assert json.loads(now["content"][0]["text"])["timezone"] == "UTC"
        assert "the first commit" in (await session.call("history", {}))["content"][0]["text"]
