"""The audit as an operator reads it: every decision a line of JSON, and no call that could not be recorded."""

import pwd
import json
import os
import re
import subprocess

import pytest
from harness.deadline import eventually
from harness.gateway import BINARY, Configuration
from harness.raw import RawUpstream
from harness.wire import Wire

pytestmark = [pytest.mark.gateway, pytest.mark.quick]

TOOLS = json.dumps([
    {"name": name, "inputSchema": {"type": "object", "properties": {"a": {}, "base": {}, "owner": {}, "password": {}}}}
    for name in ("get", "nonsense")])


@pytest.fixture
def upstream():
    def respond(handler, message):
        if message["params"]["name"] == "nonsense":
            return handler.answer(200, b"{}")
        body = {"jsonrpc": "2.0", "id": message["id"], "result": {"content": [], "resultType": "complete"}}
        handler.answer(200, json.dumps(body).encode())

    raw = RawUpstream(tools=TOOLS, respond=respond)
    yield raw
    raw.stop()


def serve(workshop, upstream, audit, environment=None, **settings):
    configuration = workshop.configuration(
        {"up": {"url": upstream.url, **settings}},
        {"team": {"names": "plain", "tools": [
            {"tool": "up.get", "arguments": {"base": {"allow": ["main"]}, "owner": {"fixed": "acme"}}}, "up.nonsense"]}},
        audit=audit)
    gateway = workshop.gateway(configuration, environment=environment)
    Wire(gateway.url("team")).call("tools/list").answer()
    return gateway


def call(gateway, tool="get", arguments=None, **more):
    return Wire(gateway.url("team")).call("tools/call", {"name": tool, "arguments": arguments or {}, **more}).answer()


def events(path, count):
    def enough():
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines] if len(lines) >= count else None
    found = eventually(enough, what=f"{count} events")
    assert len(found) == count
    return found


def test_each_outcome_is_one_line(workshop, upstream):
    gateway = serve(workshop, upstream, {"file": "audit.jsonl"})
    call(gateway, arguments={"a": 1})
    call(gateway, "no_such_tool")
    call(gateway, arguments={"base": "other"})
    failed = call(gateway, "nonsense")
    found = events(workshop.folder / "audit.jsonl", 4)
    assert [event["outcome"] for event in found] == ["allowed", "unknown_tool", "invalid", "failed"]
    first, _, _, last = found
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    assert (first["caller"], first["proof"], first["virtual_server"], first["tool"]) == ("anonymous", "none", "team", "get")
    assert (first["upstream"], first["upstream_tool"], first["transport"], first["revision"]) == ("up", "get", "http", "2026-07-28")
    assert first["rule"] == "access: everyone" and first["rule_at"].startswith(f"{workshop.folder}/virtual-servers/team.yaml:")
    assert first["duration_ms"] > 0 and re.fullmatch("hmac-sha256:[0-9a-f]{64}", first["arguments_digest"])
    assert last["error"] == "invalid_answer"
    assert f"error id {last['error_id']}" in failed["error"]["message"]
    gateway.process.wait_for(last["error_id"])
    assert (workshop.folder / "audit.jsonl").stat().st_mode & 0o777 == 0o600
    assert len({event["event"] for event in found}) == 4


def test_a_trace_of_the_client_is_kept(workshop, upstream):
    gateway = serve(workshop, upstream, {"file": "audit.jsonl"})
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    wire = Wire(gateway.url("team"))
    from harness.wire import meta
    wire.call("tools/call", {"name": "get", "arguments": {}, "_meta": meta(traceparent=trace)}).answer()
    assert events(workshop.folder / "audit.jsonl", 1)[0]["traceparent"] == trace


@pytest.mark.parametrize("values", ["none", "digest", "full"])
def test_no_secret_is_ever_in_it(workshop, upstream, values):
    gateway = serve(workshop, upstream, {"file": "audit.jsonl", "values": values}, {"TOKEN": "canary-of-upstream"},
                    credential={"bearer": "${env:TOKEN}"})
    call(gateway, arguments={"a": "the canary-of-upstream", "password": "canary-password", "base": "main"})
    call(gateway, arguments={"owner": "canary-owner"})
    call(gateway, arguments={"a": {"api_key": "canary-nested", "x": "shown"}})
    events(workshop.folder / "audit.jsonl", 3)
    text = (workshop.folder / "audit.jsonl").read_text()
    assert "canary" not in text
    assert ("shown" in text) == (values == "full")
    assert ("hmac-sha256:" in text) == (values != "none")


@pytest.mark.parametrize("signal", [True, False])
def test_a_rotated_file_is_made_anew(workshop, upstream, signal):
    gateway = serve(workshop, upstream, {"file": "audit.jsonl"})
    path = workshop.folder / "audit.jsonl"
    call(gateway)
    events(path, 1)
    path.rename(workshop.folder / "audit.1")
    if signal:
        gateway.reload()
        eventually(path.exists)
    call(gateway)
    events(path, 1)
    assert len((workshop.folder / "audit.1").read_text().splitlines()) == 1


def test_what_can_not_be_recorded_is_refused_and_comes_back_by_itself(workshop, upstream):
    log = workshop.folder / "log"
    log.mkdir()
    gateway = serve(workshop, upstream, {"file": "log/audit.jsonl"})
    call(gateway)
    events(log / "audit.jsonl", 1)
    log.rename(workshop.folder / "gone")
    assert "result" in call(gateway), "this one showed that it can't be written"
    refused = eventually(lambda: (answer := call(gateway)).get("error") and answer)
    assert refused["error"]["code"] == -32603
    identifier = re.search(r"error id ([0-9a-f]{8})", refused["error"]["message"]).group(1)
    assert str(workshop.folder) not in refused["error"]["message"]
    gateway.process.wait_for(identifier)
    asked = len(upstream.calls())
    assert "error" in call(gateway) and len(upstream.calls()) == asked
    status, report = gateway.get("/readyz")
    assert status == 503 and json.loads(report)["audit"]["state"] == "unwritable"
    (workshop.folder / "gone").rename(log)
    eventually(lambda: "result" in call(gateway))
    lines = [json.loads(line) for line in (log / "audit.jsonl").read_text().splitlines()]
    # Also the refused ones are there, once they can be.
    assert [line for line in lines if line.get("error_id") == identifier][0]["outcome"] == "refused"
    assert gateway.get("/readyz")[0] == 200
    assert len({line["event"] for line in lines}) == len(lines)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("when", ["refuse", "serve"])
def test_a_full_disk_refuses_or_serves_as_configured(workshop, upstream, when):
    gateway = serve(workshop, upstream, {"file": "/dev/full", "when_unwritable": when})
    call(gateway)
    gateway.process.wait_for(r"error \[audit\] the audit can't be written: No space left on device")
    answers = [call(gateway) for _ in range(3)]
    assert all(("error" in answer) == (when == "refuse") for answer in answers)
    assert gateway.get("/readyz")[0] == (503 if when == "refuse" else 200)
    assert gateway.ready()["audit"]["reason"] == "No space left on device"


def test_a_file_that_can_not_be_opened_is_a_reason_not_to_start(workshop, upstream, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    configuration = Configuration(
        tmp_path, {"up": {"url": upstream.url}}, {"team": {"tools": ["up.get"]}}, audit={"file": "place/audit.jsonl"})
    (place / "audit.jsonl").symlink_to("/no/such/folder/audit.jsonl")
    done = configuration.run("serve", "--listen", "127.0.0.1:0")
    assert done.returncode == 1 and done.stdout == ""
    assert re.search(r"gateway\.yaml:\d+:\d+: the audit can't be written: No such file or directory; ", done.stderr)


def test_a_changed_configuration_with_an_audit_that_can_not_be_opened_is_not_used(workshop, upstream):
    gateway = serve(workshop, upstream, {"file": "audit.jsonl"})
    (workshop.folder / "broken").symlink_to("/no/such/folder/audit.jsonl")
    settings = json.loads(gateway.configuration.path.read_text())
    gateway.configuration.write_gateway({**settings, "audit": {"file": "broken"}})
    gateway.process.wait_for("the audit can't be written")
    assert gateway.ready()["configuration"]["state"] == "rejected"
    gateway.configuration.write_gateway({**settings, "audit": {"file": "other.jsonl"}})
    gateway.process.wait_for("was read anew")
    call(gateway)
    events(workshop.folder / "other.jsonl", 1)


def test_on_standard_output_there_is_nothing_else(workshop, upstream, tmp_path):
    configuration = Configuration(
        tmp_path, {"up": {"url": upstream.url}}, {"team": {"tools": ["up.get"]}}, audit={"file": "stdout"})
    with open(tmp_path / "out", "wb") as out:
        child = subprocess.Popen(
            [BINARY, "serve", "--config", str(configuration.path), "--listen", "127.0.0.1:0"], stdout=out, stderr=subprocess.PIPE,
            env={**os.environ, **configuration.environment})
    try:
        for line in child.stderr:
            if match := re.search(rb"listening on (http\S+)", line):
                url = match.group(1).decode()
                break
        wire = Wire(f"{url}/team/mcp")
        wire.call("tools/list").answer()
        wire.call("tools/call", {"name": "up_get", "arguments": {}}).answer()
        assert events(tmp_path / "out", 1)[0]["tool"] == "up_get"
    finally:
        child.terminate()
        child.stderr.read()
        assert child.wait(15) == 0


@pytest.mark.parametrize("command", [["stdio", "--server", "team"], ["call", "--server", "team", "up_get"]])
def test_standard_output_is_refused_where_it_has_another_use(upstream, tmp_path, command):
    configuration = Configuration(
        tmp_path, {"up": {"url": upstream.url}}, {"team": {"tools": ["up.get"]}}, audit={"file": "stdout"})
    done = configuration.run(*command, input="")
    assert done.returncode == 1 and done.stdout == ""
    assert "standard output" in done.stderr and "name a file" in done.stderr


def test_stdio_and_the_command_line_are_recorded_for_the_local_user(upstream, tmp_path):
    configuration = Configuration(
        tmp_path, {"up": {"url": upstream.url}}, {"team": {"tools": ["up.get"]}}, audit={"file": "audit.jsonl"})
    # Whatever the environment says.
    configuration.environment["USER"] = "mallory"
    assert configuration.run("call", "--server", "team", "up_get").returncode == 0
    event, = events(tmp_path / "audit.jsonl", 1)
    assert (event["caller"], event["proof"], event["transport"]) == (f"user:{pwd.getpwuid(os.geteuid()).pw_name}", "login", "command")


def test_what_was_answered_is_recorded_when_the_gateway_ends(workshop, upstream):
    gateway = serve(workshop, upstream, {"file": "audit.jsonl"})
    for _ in range(50):
        call(gateway)
    gateway.stop()
    assert len((workshop.folder / "audit.jsonl").read_text().splitlines()) == 50


@pytest.mark.parametrize("command", [["check"], ["check", "--connect"], ["tools", "--server", "team"], ["accept", "up"],
                                     ["explain", "--server", "team", "--as", "user:a", "up_get"]])
def test_commands_that_call_nothing_make_no_audit(upstream, tmp_path, command):
    configuration = Configuration(tmp_path, {"up": {"url": upstream.url}}, {"team": {"tools": ["up.get"]}}, audit={"file": "audit.jsonl"})
    assert configuration.run(*command).returncode == 0
    assert not (tmp_path / "audit.jsonl").exists()


def test_check_says_that_the_audit_can_not_be_written(upstream, tmp_path):
    # A pipe that nobody reads is refused to root too.
    os.mkfifo(tmp_path / "audit.jsonl")
    configuration = Configuration(tmp_path, {"up": {"url": upstream.url}}, {"team": {"tools": ["up.get"]}}, audit={"file": "audit.jsonl"})
    done = configuration.run("check")
    assert done.returncode == 1 and "gateway.yaml:3:5: the audit can't be written: No such device or address" in done.stdout, done.stdout
