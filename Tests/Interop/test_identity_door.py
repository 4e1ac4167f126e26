"""Who is let in at the HTTP door: API keys in every era, TLS and client certificates, and what ends with them."""

import http.client
import json
import os
import socket
import ssl
import threading

import pytest
from harness.certificates import Authority
from harness.deadline import PATIENCE, eventually
from harness.schemas import MODERN
from harness.upstream import Upstream, running
from harness.wire import Wire

pytestmark = pytest.mark.gateway

TEAM = {"names": "plain", "tools": ["one.*"], "new_tools": "show"}
ERAS = ["2025-03-26", "2025-11-25", MODERN]


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    one = Upstream(tmp_path_factory.mktemp("door"), "one", "current", "http")
    with running(one):
        yield one


class Door:
    """A gateway over one upstream whose callers show keys."""

    def __init__(self, workshop, upstream, identity=None, tls=None, start=True, **more):
        settings = {"keys_file": "keys.yaml"} if identity is None else identity
        self.configuration = workshop.configuration(
            {"one": upstream.settings()}, {"team": TEAM, "other": TEAM}, **({"identity": settings} if settings else {}), **more)
        self.gateway = workshop.gateway(self.configuration, tls=tls) if start else None

    def key(self, name, *options):
        done = self.configuration.run("key", "new", name, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def wire(self, key=None, revision=MODERN, server="team", tls=None, header="Authorization"):
        proof = {} if key is None else {header: f"Bearer {key}" if header == "Authorization" else key}
        return Wire(self.gateway.url(server), revision, proof, tls or self.gateway.tls)

    def knows(self, key, **more):
        return eventually(lambda: self.wire(key, **more).call("tools/list").status == 200, what="the key is known")


@pytest.fixture
def door(workshop, upstream):
    return Door(workshop, upstream)


def echo(wire, text="hello"):
    reply = wire.call("tools/call", {"name": "echo", "arguments": {"text": text}})
    return reply.result["content"][0]["text"] if reply.status == 200 else reply.status


# Keys

@pytest.mark.quick
@pytest.mark.parametrize("revision", ERAS)
@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_a_key_opens_the_door_and_nothing_else_does(door, revision, header):
    key = door.key("bot")
    door.knows(key)
    stranger = door.wire(revision=revision)
    assert stranger.call("tools/list").status == 401
    assert stranger.call("tools/list").headers["www-authenticate"].startswith("Bearer ")
    wire = door.wire(key, revision, header=header)
    if revision != MODERN:
        wire.initialize()
    assert echo(wire) == "hello"
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert door.wire(wrong, revision, header=header).call("tools/list").status == 401
    # Neither the key nor why it was refused is told.
    assert key not in door.gateway.process.stderr and wrong not in door.gateway.process.stderr


def test_a_key_works_over_http_sse_and_the_stream_is_its_owners(door):
    key, other = door.key("bot"), door.key("other")
    door.knows(other)
    wire = door.wire(key, "2024-11-05")
    stream = wire.send("GET", headers={"Accept": "text/event-stream"}, path="/team/sse")
    address = stream.event()[1]
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    headers = {"Content-Type": "application/json"}
    assert door.wire(revision="2024-11-05").send("POST", message, headers, path=address).status == 401
    assert door.wire(other, "2024-11-05").send("POST", message, headers, path=address).status == 404
    assert wire.send("POST", message, headers, path=address).status == 202
    assert json.loads(stream.event()[1])["id"] == 1
    stream.close()


@pytest.mark.quick
def test_a_session_belongs_to_its_caller_and_another_key_of_theirs_goes_on_with_it(door):
    mine, second, other = door.key("bot"), door.key("bot"), door.key("other")
    door.knows(other)
    wire = door.wire(mine, "2025-11-25")
    wire.initialize()
    for key, expected in ((mine, "hello"), (second, "hello"), (other, 404), (None, 401)):
        another = door.wire(key, "2025-11-25")
        another.session = wire.session
        assert echo(another) == expected
        if expected == 404:
            assert another.listen().status == 404 and another.delete().status == 404


@pytest.mark.parametrize("headers", [
    [("Authorization", "Bearer {}"), ("Authorization", "Bearer {}")], [("Authorization", "Bearer {}"), ("X-API-Key", "{}")],
    [("X-API-Key", "{}"), ("X-API-Key", "{}")],
], ids=["two-bearers", "both", "two-keys"])
def test_two_proofs_are_a_bad_request(door, headers):
    key = door.key("bot")
    door.knows(key)
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    pairs = [("Content-Type", "application/json"), *((name, value.format(key)) for name, value in headers)]
    assert door.wire(revision="2025-11-25").send("POST", body, pairs).status == 400


@pytest.mark.quick
@pytest.mark.parametrize("path", ["/nobody/mcp", "/nobody/sse", "/nobody/messages?session_id=x"])
def test_an_unknown_server_is_not_found_for_every_caller(door, path):
    key = door.key("bot")
    door.knows(key)
    for proof in (None, key, "nonsense"):
        assert door.wire(proof, "2025-11-25").send("POST", {}, {"Content-Type": "application/json"}, path=path).status == 404


def test_revoking_a_key_ends_its_streams_and_calls_within_a_second(door, upstream):
    key, other = door.key("bot"), door.key("other")
    door.knows(other)
    legacy = door.wire(key, "2025-11-25")
    legacy.initialize()
    streams = [legacy.listen(), door.wire(key, "2024-11-05").send("GET", headers={"Accept": "text/event-stream"}, path="/team/sse")]
    streams.append(door.wire(key).call("subscriptions/listen", {"notifications": {"toolsListChanged": True}}))
    survivor = door.wire(other, "2025-11-25")
    survivor.initialize()
    quiet = survivor.listen()
    assert all(stream.status == 200 for stream in streams)
    answers = []
    call = threading.Thread(target=lambda: answers.append(
        door.wire(key).call("tools/call", {"name": "gated", "arguments": {"gate": "revoked"}}, headers={"Accept": "application/json"})))
    call.start()
    eventually(lambda: upstream.journal.entries(event="waiting", gate="revoked"))
    ended = [threading.Thread(target=lambda stream=stream: [None for _ in iter(stream.event, None)]) for stream in streams]
    for thread in ended:
        thread.start()
    assert door.configuration.run("key", "revoke", "bot").returncode == 0
    # A second by the clock on the wall; more only because the machine may have other things to do.
    for thread in (*ended, call):
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert answers[0].status == 401
    assert door.wire(key).call("tools/list").status == 401
    assert echo(door.wire(other)) == "hello"
    quiet.close()
    door.wire(other).call("tools/call", {"name": "release", "arguments": {"gate": "revoked"}})


def test_a_stranger_learns_from_the_probes_that_it_is_ready_and_no_more(workshop, upstream):
    door = Door(workshop, upstream, public_url="https://mcp.example.com")
    key = door.key("bot")
    door.knows(key)
    assert door.gateway.get("/healthz")[0] == 200
    status, body = door.gateway.get("/readyz")
    assert status == 200 and set(json.loads(body)) == {"status", "configuration"}
    status, body = door.gateway.get("/readyz", {"Authorization": f"Bearer {key}"})
    assert "one" in json.loads(body)["upstreams"]


def test_no_issuer_no_metadata(door):
    for path in ("/.well-known/oauth-protected-resource/team/mcp", "/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"):
        assert door.gateway.get(path)[0] == 404


# TLS

@pytest.fixture
def authority(tmp_path):
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority(folder)


def tls_files(authority, folder, **more):
    certificate, key = authority.issue("server", "/CN=localhost", "DNS:localhost,IP:127.0.0.1")
    for path, name in ((certificate, "server.pem"), (key, "server.key")):
        os.replace(path, folder / name)
    return {"certificate": "server.pem", "private_key": "server.key", **more}


@pytest.mark.quick
@pytest.mark.parametrize("revision", ERAS)
def test_calls_go_over_tls(workshop, upstream, authority, revision):
    files = tls_files(authority, workshop.folder)
    configuration = workshop.configuration({"one": upstream.settings()}, {"team": TEAM}, tls=files)
    gateway = workshop.gateway(configuration, tls=authority.client())
    wire = Wire(gateway.url("team"), revision, tls=gateway.tls)
    if revision != MODERN:
        wire.initialize()
    assert echo(wire) == "hello"
    plain = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=PATIENCE)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        plain.request("GET", "/healthz")
        plain.getresponse()
    plain.close()


@pytest.mark.quick
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_protocols_are_not_spoken_and_http_1_1_is_agreed_on(workshop, upstream, authority):
    files = tls_files(authority, workshop.folder)
    gateway = workshop.gateway(workshop.configuration({"one": upstream.settings()}, {"team": TEAM}, tls=files), tls=authority.client())
    context = authority.client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", gateway.port)) as plain, context.wrap_socket(plain, server_hostname="localhost") as stream:
        assert stream.selected_alpn_protocol() == "http/1.1" and stream.version() == "TLSv1.3"
    old = authority.client()
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", gateway.port)) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(plain, server_hostname="localhost")


def mutual(workshop, upstream, authority, identity=None):
    clients = workshop.folder / "clients.pem"
    clients.write_text(authority.path.read_text())
    files = tls_files(authority, workshop.folder, client_ca="clients.pem")
    more = {"identity": identity} if identity else {}
    configuration = workshop.configuration({"one": upstream.settings()}, {"team": TEAM}, tls=files, **more)
    robot = authority.client(*authority.issue("robot", "/CN=robot", "URI:spiffe://acme/robot,DNS:robot"))
    return configuration, robot


def test_a_client_certificate_says_who_calls(workshop, upstream, authority):
    configuration, robot = mutual(workshop, upstream, authority, {"keys_file": "keys.yaml"})
    gateway = workshop.gateway(configuration, tls=robot)
    wire = Wire(gateway.url("team"), "2025-11-25", tls=robot)
    wire.initialize()
    assert echo(wire) == "hello"
    # Another certificate is another caller, none is nobody, and a key will do as well.
    nurse = authority.client(*authority.issue("nurse", "/CN=nurse", "DNS:nurse"))
    other = Wire(gateway.url("team"), "2025-11-25", tls=nurse)
    other.session = wire.session
    assert echo(other) == 404
    plain = authority.client()
    assert echo(Wire(gateway.url("team"), tls=plain)) == 401
    key = configuration.run("key", "new", "bot").stdout.strip()
    eventually(lambda: echo(Wire(gateway.url("team"), proof={"X-API-Key": key}, tls=plain)) == "hello")
    # A wrong key is refused, also with a good certificate.
    assert echo(Wire(gateway.url("team"), proof={"X-API-Key": "sb_x"}, tls=robot)) == 401


def test_a_certificate_of_another_authority_is_turned_away(workshop, upstream, authority, tmp_path):
    configuration, robot = mutual(workshop, upstream, authority, {"keys_file": "keys.yaml"})
    gateway = workshop.gateway(configuration, tls=robot)
    folder = tmp_path / "strangers"
    folder.mkdir()
    certificate, key = Authority(folder).issue("robot", "/CN=robot", "URI:spiffe://acme/robot")
    stranger = authority.client(certificate, key)
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
        echo(Wire(gateway.url("team"), tls=stranger))


def test_where_certificates_are_the_only_proof_nobody_else_gets_past_the_handshake(workshop, upstream, authority):
    configuration, robot = mutual(workshop, upstream, authority)
    gateway = workshop.gateway(configuration, tls=robot)
    assert echo(Wire(gateway.url("team"), tls=robot)) == "hello"
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
        echo(Wire(gateway.url("team"), tls=authority.client()))


def presented(gateway):
    """The certificate that the gateway shows now."""
    return ssl.get_server_certificate(("127.0.0.1", gateway.port))


def test_a_certificate_is_renewed_under_load_and_no_call_fails(workshop, upstream, authority):
    files = tls_files(authority, workshop.folder)
    gateway = workshop.gateway(workshop.configuration({"one": upstream.settings()}, {"team": TEAM}, tls=files), tls=authority.client())
    failures, ending, count = [], threading.Event(), [0]

    def calls():
        while not ending.is_set():
            try:
                assert echo(Wire(gateway.url("team"), tls=gateway.tls)) == "hello"
                count[0] += 1
            except Exception as error:  # noqa: BLE001: whatever it is, a caller saw it
                failures.append(error)

    threads = [threading.Thread(target=calls, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    kept = Wire(gateway.url("team"), "2025-11-25", tls=gateway.tls)
    kept.initialize()
    stream = kept.listen()
    seen = {presented(gateway)}
    for _ in range(3):
        tls_files(authority, workshop.folder)
        seen.add(eventually(lambda: presented(gateway) not in seen and presented(gateway)))
    ending.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert not failures and count[0] > 10 and len(seen) == 4, failures[:1]
    # What was open before is open still: there is nothing to read, not an end.
    stream.connection.sock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        while stream.event() is not None:
            pass
    stream.connection.sock.close()


def test_a_broken_pair_leaves_the_old_one_in_force_and_says_so(workshop, upstream, authority):
    files = tls_files(authority, workshop.folder)
    gateway = workshop.gateway(workshop.configuration({"one": upstream.settings()}, {"team": TEAM}, tls=files), tls=authority.client())
    before = presented(gateway)
    assert gateway.ready()["tls"]["state"] == "current"
    (workshop.folder / "server.key").write_text("no key\n")
    eventually(lambda: gateway.ready()["tls"]["state"] == "stale")
    assert "the certificate before stays in force" in gateway.process.stderr
    assert presented(gateway) == before and echo(Wire(gateway.url("team"), tls=gateway.tls)) == "hello"
    tls_files(authority, workshop.folder)
    eventually(lambda: gateway.ready()["tls"]["state"] == "current")
    assert presented(gateway) != before


# Where it may listen

@pytest.mark.quick
@pytest.mark.parametrize("more, allowed", [
    ({}, False), ({"identity": {"keys_file": "keys.yaml"}}, False), ({"identity": {"keys_file": "keys.yaml", "anonymous": True}}, False),
    ({"identity": {"keys_file": "keys.yaml"}, "public_url": "https://mcp.example.com"}, True),
], ids=["nobody-known", "clear-text", "anonymous", "behind-a-proxy"])
def test_public_addresses_want_callers_that_prove_who_they_are(workshop, upstream, more, allowed):
    settings = {"one": upstream.settings()}
    configuration = workshop.configuration(settings, {"team": TEAM}, **more, listen="0.0.0.0:0")
    done = configuration.run("check")
    assert (done.returncode == 0) == allowed, done.stdout
    assert allowed or "refuses to listen on 0.0.0.0" in done.stdout
    configuration.write_gateway({**more, "upstreams": settings})
    if not allowed:
        done = configuration.run("serve", "--listen", "0.0.0.0:0")
        assert done.returncode == 2 and "refuses to listen on 0.0.0.0" in done.stderr
