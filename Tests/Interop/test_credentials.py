"""What an upstream receives as proof, by reference only."""

import base64

import pytest
from harness.deadline import eventually
from harness.wire import Wire

pytestmark = [pytest.mark.gateway, pytest.mark.quick]


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    from harness.upstream import Upstream, running
    one = Upstream(tmp_path_factory.mktemp("credentials"), "one", "current", "http")
    with running(one):
        yield one


def serve(workshop, settings, environment=None):
    configuration = workshop.configuration(settings, {
        # What no virtual server uses is not even started.
        "team": {"names": "plain", "tools": [f"{name}.{tool}" for name, tool in zip(settings, ["whoami", "echo"])]}})
    return workshop.gateway(configuration, environment=environment or {})


def received(gateway):
    wire = Wire(gateway.url("team"))
    return wire.call("tools/call", {"name": "whoami", "arguments": {}}).result["structuredContent"]["headers"]


@pytest.mark.parametrize("credential, header, value", [
    ({"bearer": "${env:TOKEN}"}, "authorization", "Bearer t0ken"),
    ({"headers": {"X-Api-Key": "${env:TOKEN}", "X-Other": "${env:OTHER}"}}, "x-api-key", "t0ken"),
    ({"basic": {"username": "${env:OTHER}", "password": "${env:TOKEN}"}}, "authorization",
     "Basic " + base64.b64encode(b"0ther:t0ken").decode()),
])
def test_the_upstream_receives_the_credential(workshop, upstream, credential, header, value):
    gateway = serve(workshop, {"one": upstream.settings(credential=credential)}, {"TOKEN": "t0ken", "OTHER": "0ther"})
    assert received(gateway)[header] == value
    assert "t0ken" not in gateway.process.stderr and "t0ken" not in gateway.get("/readyz")[1].decode()


def test_without_a_credential_nothing_is_sent(workshop, upstream):
    assert "authorization" not in received(serve(workshop, {"one": upstream.settings()}))


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_file_is_read_again_when_it_changes(workshop, upstream, era):
    secret = workshop.folder / "secret"
    secret.write_text("first\n")
    gateway = serve(workshop, {"one": upstream.settings(credential={"bearer": f"${{file:{secret}}}"}, era=era)})
    assert received(gateway)["authorization"] == "Bearer first"
    fresh = workshop.folder / "fresh"
    fresh.write_text("second\n")
    fresh.rename(secret)
    eventually(lambda: received(gateway)["authorization"] == "Bearer second")


@pytest.mark.parametrize("reference", ["${env:NOT_SET_ANYWHERE}", "${file:/no/such/file}"])
def test_a_secret_that_is_missing_takes_that_upstream_down_only(workshop, upstream, reference):
    gateway = serve(workshop, {"one": upstream.settings(), "two": upstream.settings(credential={"bearer": reference})})
    assert received(gateway)
    state = gateway.ready()["upstreams"]["two"]
    assert state["state"] != "up"
    eventually(lambda: gateway.ready()["upstreams"]["two"]["last_error"])
    done = gateway.configuration.run("check")
    assert done.returncode == 1 and reference.strip("${}").split(":")[1] in done.stdout + done.stderr


def test_a_childs_environment_takes_references_and_its_log_does_not_show_them(workshop):
    child = workshop.upstream("child", "current", "stdio")
    script = 'echo "of ${#TOKEN} letters: $TOKEN" >&2; exec "$@"'
    settings = {"command": "/bin/sh", "args": ["-c", script, "x", *child.command], "env": {"TOKEN": "${env:SOURCE}"}}
    configuration = workshop.configuration({"child": settings}, {"team": {"names": "plain", "tools": ["child.echo"]}})
    gateway = workshop.gateway(configuration, environment={"SOURCE": "from-outside"})
    Wire(gateway.url("team")).call("tools/list").answer()
    gateway.process.wait_for("child.*of 12 letters: ‹secret›")


# An upstream may repeat what it was given

BASIC = base64.b64encode(b"0ther-user:t0ken-value").decode()


@pytest.mark.parametrize("credential, hidden", [
    ({"bearer": "${env:TOKEN}"}, ["t0ken-value"]),
    ({"headers": {"X-Api-Key": "key ${env:TOKEN}"}}, ["t0ken-value"]),
    ({"basic": {"username": "${env:OTHER}", "password": "${env:TOKEN}"}}, ["t0ken-value", BASIC, "0ther-user"]),
])
def test_what_an_upstream_repeats_of_a_credential_is_masked(workshop, credential, hidden):
    def blab(handler, message):
        proof = handler.headers["Authorization"] or handler.headers["X-Api-Key"]
        # The second time it lies across the place where a quotation is cut.
        handler.answer(418, f"you sent {proof} {'x' * (255 - len(proof))} {proof}".encode(), "text/plain")

    raw = workshop.raw(tools='[{"name":"t","inputSchema":{"type":"object"}}]', respond=blab)
    configuration = workshop.configuration(
        {"one": {"url": raw.url, "credential": credential}}, {"team": {"names": "plain", "tools": ["one.*"], "new_tools": "show"}})
    gateway = workshop.gateway(configuration, environment={"TOKEN": "t0ken-value", "OTHER": "0ther-user"})
    wire = Wire(gateway.url("team"))

    said = str(wire.call("tools/call", {"name": "t", "arguments": {}}).error)
    log = gateway.process.wait_for("call of t failed.*HTTP 418.*you sent").string
    assert "‹secret›" in log, "so far was it quoted"

    # The same when it is opened: its last error is shown to whoever asks.
    again = workshop.raw(by_hand={"initialize": blab, "server/discover": blab})
    configuration.write_gateway({"upstreams": {"one": {"url": again.url, "credential": credential}}})
    gateway.reload()
    shown = eventually(lambda: "you sent" in gateway.get("/readyz")[1].decode() and gateway.get("/readyz")[1].decode())
    assert "‹secret›" in shown
    for value in hidden:
        assert value not in said and value not in shown and value not in gateway.process.stderr


@pytest.mark.parametrize("said", [
    '{"jsonrpc":"2.0","id":1,"result":{"x":$TOKEN}}', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"$TOKEN"}}', '{"jsonrpc":"2.0","id":1,"result":"$TOKEN"}',
], ids=["no JSON", "an error", "no result"])
def test_a_childs_secret_is_masked_wherever_its_words_are_quoted(workshop, said):
    script = "read line; cat <<END\n" + said + "\nEND\nsleep 600"
    settings = {"command": "/bin/sh", "args": ["-c", script], "env": {"TOKEN": "${env:SOURCE}"}, "era": "legacy"}
    gateway = workshop.gateway(
        workshop.configuration({"one": settings}, {"team": {"tools": ["one.*"]}}), environment={"SOURCE": "t0ken-value"})
    error = eventually(lambda: gateway.ready()["upstreams"]["one"]["last_error"])
    gateway.process.wait_for("is not available")
    assert "‹secret›" in error and "‹secret›" in gateway.process.stderr
    assert "t0ken-value" not in error + gateway.process.stderr
