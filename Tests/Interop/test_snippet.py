"""`switchboard snippet`: what it prints is taken as it is, and works."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from harness.gateway import BINARY, Configuration, free_port
from harness.raw import RawUpstream

pytestmark = [pytest.mark.gateway, pytest.mark.quick]

CLIENTS = ["claude-desktop", "claude-code", "cursor", "vscode", "python", "typescript"]
ISSUER = {"issuer": "https://login.example.com", "audience": "https://mcp.example.com"}


@pytest.fixture
def upstream():
    raw = RawUpstream(tools='[{"name":"get","inputSchema":{"type":"object"}}]')
    yield raw
    raw.stop()


def written(folder, url="http://127.0.0.1:9/mcp", **more):
    return Configuration(folder, {"up": {"url": url}}, {"team": {"tools": ["up.get"]}}, **more)


def printed(configuration, client):
    done = configuration.run("snippet", client, "--server", "team")
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip()
    return done.stdout


def entry(configuration, client):
    return json.loads(printed(configuration, client))["servers" if client == "vscode" else "mcpServers"]["team"]


def test_claude_desktop_launches_the_program_itself(tmp_path):
    configuration = written(tmp_path, public_url="https://mcp.example.com")
    found = entry(configuration, "claude-desktop")
    assert os.path.samefile(found["command"], BINARY) and os.path.isabs(found["command"])
    assert found["args"] == ["stdio", "--config", str(configuration.path), "--server", "team"]
    done = subprocess.run([found["command"], *found["args"]], input="", capture_output=True, text=True, timeout=60,
                          env={**os.environ, **configuration.environment})
    assert done.returncode == 0 and done.stdout == ""


def test_a_relative_configuration_becomes_a_whole_path(tmp_path):
    configuration = written(tmp_path)
    done = subprocess.run([BINARY, "snippet", "claude-desktop", "--server", "team"], capture_output=True, text=True, cwd=tmp_path, timeout=60,
                          env={**os.environ, **configuration.environment})
    args = json.loads(done.stdout)["mcpServers"]["team"]["args"]
    assert os.path.isabs(args[2]) and os.path.samefile(args[2], configuration.path)


@pytest.mark.parametrize("client", CLIENTS[1:])
@pytest.mark.parametrize("settings, url", [
    ({}, "http://127.0.0.1:8080/team/mcp"), ({"listen": ["[::1]:9000", "127.0.0.1:9001"]}, "http://[::1]:9000/team/mcp"),
    ({"public_url": "https://mcp.example.com/tools/"}, "https://mcp.example.com/tools/team/mcp"),
])
def test_the_address_is_the_public_one_else_the_first(tmp_path, client, settings, url):
    text = printed(written(tmp_path, **settings), client)
    assert json.dumps(url) in text
    assert "Authorization" not in text


@pytest.mark.parametrize("client, value", [
    ("claude-code", "Bearer ${SWITCHBOARD_KEY}"), ("cursor", "Bearer ${env:SWITCHBOARD_KEY}"), ("vscode", "Bearer ${input:switchboard-key}")])
def test_a_key_is_referred_to_in_the_clients_own_way(tmp_path, client, value):
    configuration = written(tmp_path, identity={"keys_file": "keys.yaml"})
    assert configuration.run("key", "new", "bot").returncode == 0
    found = entry(configuration, client)
    assert found["headers"] == {"Authorization": value}
    if client == "vscode":
        asked, = json.loads(printed(configuration, client))["inputs"]
        assert asked["type"] == "promptString" and asked["id"] == "switchboard-key" and asked["password"] is True
    if client != "cursor":
        assert found["type"] == "http"


@pytest.mark.parametrize("client", ["claude-code", "cursor", "vscode"])
def test_who_can_sign_in_needs_the_address_only(tmp_path, client):
    found = entry(written(tmp_path, identity={"issuers": [ISSUER]}), client)
    assert "headers" not in found


@pytest.mark.parametrize("client", ["python", "typescript"])
def test_a_program_takes_a_token_where_there_are_no_keys(tmp_path, client):
    text = printed(written(tmp_path, identity={"issuers": [ISSUER]}), client)
    assert "SWITCHBOARD_TOKEN" in text


@pytest.mark.parametrize("has_key", [False, True])
def test_the_python_program_runs(workshop, upstream, has_key):
    identity = {"identity": {"keys_file": "keys.yaml"}} if has_key else {}
    port = free_port()
    configuration = workshop.configuration(
        {"up": {"url": upstream.url}}, {"team": {"tools": ["up.get"]}}, public_url=f"http://127.0.0.1:{port}", **identity)
    key = configuration.run("key", "new", "bot").stdout.strip() if has_key else ""
    gateway = workshop.gateway(configuration)
    text = printed(configuration, "python").replace(f":{port}/", f":{gateway.port}/")
    program = workshop.folder / "agent.py"
    program.write_text(text)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60, env={**os.environ, "SWITCHBOARD_KEY": key})
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["up_get"]


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
@pytest.mark.parametrize("settings", [{}, {"identity": {"keys_file": "keys.yaml"}}])
def test_the_typescript_program_is_well_formed(tmp_path, settings):
    program = tmp_path / "agent.mjs"
    program.write_text(printed(written(tmp_path, **settings), "typescript"))
    done = subprocess.run(["node", "--check", str(program)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_an_unknown_client_is_a_wrong_command_line(tmp_path):
    configuration = written(tmp_path)
    done = configuration.run("snippet", "cursr", "--server", "team")
    assert done.returncode == 2 and done.stdout == "" and "Did you mean cursor?" in done.stderr
    done = configuration.run("snippet", "nonsense", "--server", "team")
    assert done.returncode == 2 and all(client in done.stderr for client in CLIENTS)


def test_an_unknown_server_is_named(tmp_path):
    done = written(tmp_path).run("snippet", "cursor", "--server", "taem")
    assert done.returncode == 1 and done.stdout == "" and "team" in done.stderr


def test_no_secret_is_printed(tmp_path):
    configuration = Configuration(
        tmp_path, {"up": {"url": "http://127.0.0.1:9/mcp", "credential": {"bearer": "${env:UP_TOKEN}"}}}, {"team": {"tools": ["up.get"]}})
    configuration.environment["UP_TOKEN"] = "canary"
    for client in CLIENTS:
        done = configuration.run("snippet", client, "--server", "team")
        assert "canary" not in done.stdout + done.stderr
    assert "UP_TOKEN" in configuration.run("snippet", "claude-desktop", "--server", "team").stderr
