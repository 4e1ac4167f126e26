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
