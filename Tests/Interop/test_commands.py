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
    # A slow machine is told what it waits for.
    assert done.returncode == 0 and not [line for line in done.stderr.splitlines() if not line.startswith("waiting for ")] and "5" in done.stdout
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


def test_import_says_what_comes_next(tmp_path):
    source = tmp_path / "mcp.json"
    source.write_text(json.dumps(IMPORTED["vscode"]))
    done = run("import", str(source), folder=tmp_path)
    assert "virtual-servers/default.yaml" in done.stderr and "check --connect" in done.stderr
    assert "prompts" not in done.stdout and "resources" not in done.stdout


@pytest.mark.parametrize("name, reason", [("nothing.json", "no such file"), (".", "not a file")])
def test_import_says_why_a_file_cannot_be_read(tmp_path, name, reason):
    done = run("import", name, folder=tmp_path)
    assert done.returncode == 1 and reason in done.stderr
    assert run("import", "-", folder=tmp_path).returncode == 2


# What goes wrong in them is told once, in one line, with what to do.

MUTE = {"command": "sleep", "args": ["1000"]}


def lines(done):
    return (done.stdout + done.stderr).splitlines()


def test_a_wrong_tool_is_told_once(desk, tmp_path):
    settings = json.loads(desk.path.read_text())["upstreams"]
    configuration = Configuration(tmp_path, settings, {"team": {"tools": ["one.ecko", "one.add"]}})
    for arguments in (["check", "--connect"], ["tools", "--server", "team"]):
        assert len([line for line in lines(configuration.run(*arguments)) if "ecko" in line]) == 1, arguments
    for arguments in (["call", "--server", "team", "one_add", '{"a": 2, "b": 3}'], ["accept", "one"]):
        assert configuration.run(*arguments).stderr == "", arguments


def test_an_upstream_that_is_away_is_told_once_and_without_the_log_of_attempts(tmp_path):
    configuration = Configuration(
        tmp_path, {"absent": {"command": "nosuchprog"}, "ends": {"command": "false"}}, {"team": {"tools": ["absent.*", "ends.*"]}})
    done = configuration.run("tools", "--server", "team")
    assert done.returncode == 1 and done.stdout == ""
    said = done.stderr.splitlines()
    assert len(said) == 3 and said[0] == "no tools", said
    assert [line for line in said if "absent" in line and "nosuchprog" in line] and [line for line in said if "ends" in line]
    done = configuration.run("call", "--server", "team", "absent_x")
    assert done.returncode == 1 and len([line for line in done.stderr.splitlines() if "nosuchprog" in line]) == 1, done.stderr


@pytest.mark.timeout(60)
def test_a_mute_upstream_is_named_and_not_waited_for_when_others_are_there(desk, tmp_path):
    import time
    settings = json.loads(desk.path.read_text())["upstreams"]
    configuration = Configuration(tmp_path, {"one": settings["one"], "mute": MUTE}, {"team": {"tools": ["one.add", "mute.*"]}})
    start = time.monotonic()
    done = configuration.run("tools", "--server", "team")
    assert 9 < time.monotonic() - start < 20
    assert done.returncode == 1 and done.stdout.startswith("one_add(")
    assert done.stderr.splitlines() == ["waiting for mute …", "upstream mute is not available: it has not answered yet"]


@pytest.mark.parametrize("settings, advice", [
    ({"command": "nosuchprog"}, "whole path"), ({"command": "/nonexistent/x"}, "mend the path"), ({"command": "./plain"}, "chmod"),
    ({"command": "false"}, "by hand"), ({"url": "http://127.0.0.1:9/mcp"}, "address"),
])
def test_check_connect_says_what_to_do_about_the_kind_of_upstream(tmp_path, settings, advice):
    configuration = Configuration(tmp_path, {"up": settings}, {"team": {"tools": ["up.x"]}})
    (tmp_path / "plain").write_text("no program")
    done = configuration.run("check", "--connect")
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 1 and advice in done.stdout, done.stdout + done.stderr
    assert ("credential" in done.stdout) == ("url" in settings)


# The state folder

def test_accept_that_cannot_be_kept_is_status_1_with_the_reason(desk, tmp_path):
    settings = json.loads(desk.path.read_text())["upstreams"]
    configuration = Configuration(tmp_path, settings, {"team": {"tools": ["one.*"]}})
    state = tmp_path / "state" / "switchboard"
    (state / "baselines.json").mkdir(parents=True)
    done = configuration.run("accept", "one")
    assert done.returncode == 1 and done.stdout == "" and "Is a directory" in done.stderr, done.stderr


def test_damaged_baselines_hold_and_say_so_until_they_are_accepted(desk, tmp_path):
    settings = json.loads(desk.path.read_text())["upstreams"]
    configuration = Configuration(tmp_path, settings, {"team": {"tools": ["one.add", "one.e*"]}})
    assert len(configuration.run("tools", "--server", "team").stdout.splitlines()) > 1
    path = tmp_path / "state" / "switchboard" / "baselines.json"
    path.write_text("{")
    done = configuration.run("tools", "--server", "team")
    assert len(done.stdout.splitlines()) == 1 and "baselines.json: it is damaged" in done.stderr
    assert path.read_text() == "{"
    checked = configuration.run("check")
    assert checked.returncode == 1 and "baselines.json: it is damaged" in checked.stdout
    assert configuration.run("accept", "one").returncode == 0
    assert len(configuration.run("tools", "--server", "team").stdout.splitlines()) > 1
    assert path.with_name("baselines.json.damaged").read_text() == "{"


def test_a_state_folder_that_cannot_be_written_is_told_in_the_systems_words(desk, tmp_path):
    settings = json.loads(desk.path.read_text())["upstreams"]
    configuration = Configuration(tmp_path, settings, {"team": {"tools": ["one.*"]}}, state="/proc/nope")
    done = configuration.run("check")
    assert done.returncode == 0 and "/proc/nope: No such file or directory" in done.stderr
    for arguments in (["tools", "--server", "team"], ["accept", "one"]):
        said = configuration.run(*arguments).stderr
        assert "No such file or directory" in said and "Cocoa" not in said


def test_a_key_of_another_length_stops_serve_and_stays(desk, tmp_path):
    configuration = Configuration(tmp_path, {"one": {"command": "true"}}, {"team": {"tools": ["one.x"]}})
    path = tmp_path / "state" / "switchboard" / "seal.key"
    path.parent.mkdir(parents=True)
    path.write_text("short")
    done = configuration.run("serve", "--listen", "127.0.0.1:0")
    assert done.returncode == 1 and "seal.key: it holds 5 bytes" in done.stderr
    assert path.read_text() == "short" and configuration.run("check").returncode == 1


def test_a_port_that_is_taken_is_told_once_with_what_to_do(desk, tmp_path):
    import socket
    configuration = Configuration(tmp_path, {"one": {"command": "true"}}, {"team": {"tools": ["one.x"]}})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        served = configuration.run("serve", "--listen", address)
        shown = configuration.run("demo", "--listen", address, config=False)
    for done in (served, shown):
        assert done.returncode == 1 and "`--listen 127.0.0.1:8081`" in done.stderr, done.stderr
        assert done.stderr.count(address) == 1 and done.stderr.count("Address already in use") == 1, done.stderr
