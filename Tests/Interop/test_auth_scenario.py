"""The reason for it all: a PR-review agent that may read and comment, and may not delete a branch, whatever a prompt tells it."""

import json
import os
import pathlib

import pytest
from harness.authority_browser import Wallet, signed_in
from harness.authority_scene import scene
from harness.deadline import eventually
from harness.gateway import ROOT
from harness.process import Process
from mcp import MCPError
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider

pytestmark = [pytest.mark.gateway, pytest.mark.quick, pytest.mark.anyio]

SAMPLE = os.environ.get("SAMPLE_SERVER_BIN", str(ROOT / ".build" / "debug" / "sample-server"))
GITHUB_TOKEN = "ghs_that-GitHub-gave-the-gateway"
SERVER = """\
title: Code review
names: plain
tools:
  - github.*
roles:
  reviewer:
    who: ["client:pr-review-bot"]
    allow: [list_pull_requests, add_comment]
    deny: ["@destructive"]
  lead:
    who: [group:leads]
    allow: ["*"]
"""


@pytest.fixture
def github(tmp_path):
    process = Process([SAMPLE, "github", "--transport", "http", "--bearer-from", "GITHUB_TOKEN", "--show-authorization"],
                      {"GITHUB_TOKEN": GITHUB_TOKEN})
    try:
        process.url = process.wait_for(r"listening on (http\S+)").group(1)
        yield process
    finally:
        process.kill()


class Github:
    """As far as a scene looks at its upstream."""

    def __init__(self, process):
        self.process = process

    def settings(self):
        return {"url": self.process.url, "credential": {"bearer": "${env:GITHUB_TOKEN}"}}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_review_agent_reads_and_comments_and_cannot_delete_a_branch(tmp_path, github, mode):
    upstream = Github(github)
    with scene(tmp_path, upstream, settings={"github": upstream.settings()}, servers={"review": SERVER},
               environment={"GITHUB_TOKEN": GITHUB_TOKEN}, audit={"file": "audit.jsonl"}) as here:
        here.authority.clients.add("pr-review-bot", "agents-secret", "client_secret_basic")
        wallet = Wallet()
        auth = ClientCredentialsOAuthProvider(here.gateway.url("review"), wallet, "pr-review-bot", "agents-secret", issuer=here.authority.issuer)
        async with signed_in(here.gateway.url("review"), mode, auth) as agent:
            assert [tool.name for tool in (await agent.list_tools()).tools] == ["list_pull_requests", "add_comment"]
            assert "Dark mode" in (await agent.call_tool("list_pull_requests", {})).content[0].text
            assert not (await agent.call_tool("add_comment", {"number": 7, "body": "Looks good."})).is_error
            with pytest.raises(MCPError) as refusal:
                await agent.call_tool("delete_branch", {"branch": "main"})
            with pytest.raises(MCPError) as unknown:
                await agent.call_tool("no_such_tool", {"branch": "main"})

        # To the agent it does not exist.
        assert refusal.value.error.code == unknown.value.error.code == -32602
        assert refusal.value.error.message == unknown.value.error.message.replace("no_such_tool", "delete_branch")

        # What GitHub received is GitHub's token, and no word of the branch.
        received = [line for line in github.stderr.splitlines() if line.startswith("received ")]
        assert received == [f"received {tool} with Authorization: Bearer {GITHUB_TOKEN}" for tool in ("list_pull_requests", "add_comment")]
        agents_token = wallet.tokens.access_token
        assert agents_token not in github.stderr

        # The refusal, the rule and the identity behind the attempt are in the log.
        def attempt():
            return [line for line in here.audit() if line.get("tool") == "delete_branch"]

        line, = eventually(attempt)
        assert line["outcome"] == "denied" and line["client"] == "pr-review-bot" and line["virtual_server"] == "review"
        assert "@destructive" in line["rule"] and pathlib.Path(line["rule_at"].rsplit(":", 2)[0]).name == "review.yaml"
        assert line["rule_at"].split(":")[-2:][0] == "9"
        outcomes = [entry["outcome"] for entry in here.audit()]
        # Before it had signed in it was nobody.
        assert outcomes[outcomes.count("unauthenticated") :] == ["allowed", "allowed", "denied", "unknown_tool"]
        written = (tmp_path / "audit.jsonl").read_text() + here.gateway.process.stderr
        for secret in (agents_token, GITHUB_TOKEN, "agents-secret"):
            assert secret not in written

        # `explain` says the same beforehand.
        explained = here.configuration.run("explain", "--server", "review", "--as", "client:pr-review-bot", "delete_branch", json.dumps({"branch": "main"}))
        assert explained.returncode == 1 and "review.yaml:9:" in explained.stdout
