"""The commands as a person types them: what they print, where, and with which exit status."""

import json
import os
import re
import subprocess

import pytest
from harness.gateway import BINARY, Configuration

pytestmark = [pytest.mark.gateway, pytest.mark.quick]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    from harness.upstream import Upstream, running
    folder = tmp_path_factory.mktemp("commands")
    one = Upstream(folder, "one", "current", "http")
    two = Upstream(folder, "two", "legacy", "stdio")
    pull = {"tool": "two.open_pull", "as": "create_pr", "arguments": {"repo": {"fixed": "acme/web"}, "base": {"allow": ["main"]}}}
    with running(one, two):
        yield Configuration(folder, {"one": one.settings(), "two": two.settings()}, {
            "team": {"title": "The team", "tools": ["one.add", "one.fail", "two.echo", pull]}})


def run(*arguments, folder=None, **more):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, cwd=folder, **more)


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["check", "--help"], ["tools", "--help"], ["call", "--help"],
                                       ["import", "--help"], ["stdio", "--help"], ["demo", "--help"], ["accept", "--help"],
                                       ["key", "--help"], ["snippet", "--help"], ["explain", "--help"]])
def test_help_goes_to_standard_output(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) >= 3 and "switchboard" in done.stdout
    assert all(len(line) <= 140 for line in done.stdout.splitlines())


def test_help_names_every_command():
    done = run("--help")
    for command in ("demo", "serve", "stdio", "check", "tools", "call", "accept", "import", "key", "snippet", "explain"):
        assert re.search(rf"^\s+(switchboard )?{command}\b", done.stdout, re.M), command


def test_the_version_is_one_line():
    done = run("--version")
    assert done.returncode == 0 and re.fullmatch(r"switchboard \d+\.\d+\.\d+\S*\n", done.stdout)


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["--nonsense"], ["accept"], ["stdio"], ["serve", "--nonsense"], ["serve", "--listen"], ["tools"],
                                       ["call", "--server", "x"], ["import"], ["check", "extra"], ["serve", "--listen", "nowhere"]])
def test_a_wrong_command_line_is_status_2(arguments, tmp_path):
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 2 and done.stdout == "" and done.stderr


def test_a_misspelt_command_is_recognised():
    assert "serve" in run("sevre").stderr


# check

def test_check_is_content_with_a_good_configuration(desk):
    done = desk.run("check")
    assert (done.returncode, done.stderr) == (0, "") and done.stdout


def test_check_connect_asks_every_upstream(desk):
    done = desk.run("check", "--connect")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "one" in done.stdout and "two" in done.stdout


def test_check_connect_finds_what_does_not_answer(tmp_path):
    configuration = Configuration(tmp_path, {"absent": {"url": "http://127.0.0.1:9/mcp"}}, {"team": {"tools": ["absent.x"]}})
    assert configuration.run("check").returncode == 0
    done = configuration.run("check", "--connect")
    assert done.returncode == 1 and "absent" in done.stdout + done.stderr


def test_check_connect_finds_a_tool_that_the_upstream_does_not_have(desk, tmp_path):
    settings = json.loads(desk.path.read_text())["upstreams"]
    configuration = Configuration(tmp_path, settings, {"team": {"tools": ["one.ecko"]}})
    done = configuration.run("check", "--connect")
    assert done.returncode == 1 and "echo" in done.stdout + done.stderr


def write(folder, gateway, **servers):
    (folder / "gateway.yaml").write_text(gateway)
    (folder / "virtual-servers").mkdir()
    for name, text in servers.items():
        (folder / "virtual-servers" / f"{name}.yaml").write_text(text)


def test_check_reports_every_mistake_at_once_with_its_place(tmp_path):
    write(tmp_path, """\
listen: 127.0.0.1:8080
upstreams:
  github:
    url: https://api.example.com/mcp/
    transprot: sse
  other:
    url: ftp://example.com
""", engineering="""\
access: everyone
tools:
  - gihub.list_issues
  - nonsense
""", empty="tools: []\n")
    done = run("check", folder=tmp_path)
    assert done.returncode == 1
    said = (done.stdout + done.stderr).splitlines()
    places = [line for line in said if re.match(r"[^ :]+:\d+:\d+: .+; .+", line)]
    assert 'virtual-servers/engineering.yaml:3:5: no upstream is called "gihub"; did you mean "github" (gateway.yaml:3)?' in places
    for place in ("gateway.yaml:5:", "gateway.yaml:7:", "virtual-servers/engineering.yaml:4:", "virtual-servers/empty.yaml:"):
        assert [line for line in places if line.startswith(place)], (place, said)
    assert [line for line in places if "transport" in line]


@pytest.mark.parametrize("text", [
    "upstreams:\n  a:\n    url: http://127.0.0.1:1/mcp\n    credential: { bearer: ghp_verysecretvalue }\n",
    "upstreams:\n  a:\n    url: http://127.0.0.1:1/mcp\n    credential: { headers: { X-Token: verysecretvalue } }\n",
])
def test_a_literal_secret_is_refused_and_not_repeated(tmp_path, text):
    write(tmp_path, text, team="access: everyone\ntools: [a.x]\n")
    done = run("check", folder=tmp_path)
    assert done.returncode == 1 and "${env:" in done.stdout + done.stderr
    assert "verysecret" not in done.stdout + done.stderr


def test_a_missing_configuration_says_how_to_begin(tmp_path):
    for command in (["check"], ["serve"], ["tools", "--server", "x"]):
        done = run(*command, folder=tmp_path)
        assert done.returncode == 1 and "gateway.yaml" in done.stderr + done.stdout
        assert "demo" in done.stderr + done.stdout


# tools and call

def test_tools_shows_what_a_caller_would_see(desk):
    done = desk.run("tools", "--server", "team")
    assert done.returncode == 0
    # What a description says is the upstream's business.
    names = [re.match(r"[A-Za-z0-9_-]*", line).group() for line in done.stdout.splitlines()]
    assert sorted(names) == ["create_pr", "one_add", "one_fail", "two_echo"]


def test_tools_as_json_is_the_list_as_it_is_sent(desk):
    done = desk.run("tools", "--server", "team", "--json")
    assert done.returncode == 0
    listed = json.loads(done.stdout)
    tools = {tool["name"]: tool for tool in (listed["tools"] if isinstance(listed, dict) else listed)}
    assert set(tools) == {"one_add", "one_fail", "two_echo", "create_pr"}
    assert tools["create_pr"]["inputSchema"]["properties"]["base"]["enum"] == ["main"]


def test_call_prints_the_result(desk):
    done = desk.run("call", "--server", "team", "one_add", '{"a": 2, "b": 3}')
    assert (done.returncode, done.stderr) == (0, "") and "5" in done.stdout
    done = desk.run("call", "--server", "team", "create_pr", '{"base": "main", "token": "t"}', "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["structuredContent"]["received"]["repo"] == "acme/web"


@pytest.mark.parametrize("arguments", [
    ["one_fail", '{"message": "no luck"}'], ["no_such_tool"], ["create_pr", '{"base": "other", "token": "t"}'],
    ["create_pr", '{"base": "main", "token": "t", "repo": "evil/web"}'],
])
def test_a_call_that_does_not_succeed_is_status_1(desk, arguments):
    assert desk.run("call", "--server", "team", *arguments).returncode == 1


@pytest.mark.parametrize("arguments", [["one_add", "{"], ["one_add", "[1]"], ["one_add", "nonsense"]])
def test_arguments_that_are_no_object_are_status_2(desk, arguments):
    assert desk.run("call", "--server", "team", *arguments).returncode == 2


def test_a_server_that_does_not_exist_is_named(desk):
    done = desk.run("tools", "--server", "taem")
    assert done.returncode in (1, 2) and "team" in done.stderr


# import

IMPORTED = {
    "claude": {"mcpServers": {
        "Time Zone!": {"command": "uvx", "args": ["mcp-server-time"], "env": {"TZ": "UTC", "API_TOKEN": "verysecretvalue"}},
        "web": {"url": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer verysecretvalue"}}}},
    "vscode": {"servers": {"git": {"type": "stdio", "command": "uvx", "args": ["mcp-server-git"]},
                           "old": {"type": "sse", "url": "https://mcp.example.com/sse"}}},
}


@pytest.mark.parametrize("kind", IMPORTED)
def test_import_writes_a_configuration_that_loads(tmp_path, kind):
    source = tmp_path / "mcp.json"
    source.write_text(json.dumps(IMPORTED[kind]))
    done = run("import", str(source), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "verysecret" not in done.stdout + done.stderr
    # What comes as comments is the virtual server, ready to be saved.
    (tmp_path / "gateway.yaml").write_text(done.stdout)
    (tmp_path / "virtual-servers").mkdir()
    names = re.findall(r"^  ([a-z0-9_-]+):$", done.stdout, re.M)
    assert len(names) == 2, done.stdout
    (tmp_path / "virtual-servers" / "default.yaml").write_text(
        "access: everyone\ntools: [" + ", ".join(f"{name}.*" for name in names) + "]\n")
    variables = re.findall(r"\$\{env:([A-Z0-9_]+)\}", done.stdout)
    checked = run("check", folder=tmp_path, env={**os.environ, **{name: "x" for name in variables}})
    assert checked.returncode == 0, done.stdout + checked.stdout + checked.stderr


@pytest.mark.parametrize("text", ["", "{", "[]", '{"other": 1}'])
def test_import_of_something_else_is_status_1(tmp_path, text):
    source = tmp_path / "mcp.json"
    source.write_text(text)
    done = run("import", str(source), folder=tmp_path)
    assert done.returncode == 1 and done.stdout == "" and "mcp.json" in done.stderr
