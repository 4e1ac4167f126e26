"""What an upstream receives for each form of credential, and what happens when it changes; never the caller's own token."""

import base64
import json
import threading

import jwt
import pytest
from harness.authority import AuthorizationServer
from harness.authority_grants import EXCHANGE
from harness.authority_guard import Guard
from harness.authority_keys import SigningKey, claims_of
from harness.authority_scene import Load, scene
from harness.deadline import eventually
from harness.upstream import Upstream, running

pytestmark = [pytest.mark.gateway]

ALICE, BOB, ROOT = "alice@example.com", "bob@example.com", "root@example.com"
ENVIRONMENT = {"TOKEN": "t0ken-of-the-gateway", "OTHER": "0ther", "SECRET": "s3 cr:t%&+ü"}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    one = Upstream(tmp_path_factory.mktemp("credentials"), "one", "current", "http")
    with running(one):
        yield one


@pytest.fixture
def elsewhere():
    """The authorization server of the upstream; the callers' own is another."""
    with AuthorizationServer() as authority:
        authority.clients.add("switchboard", ENVIRONMENT["SECRET"])
        yield authority


@pytest.fixture
def guard(upstream, elsewhere):
    with Guard(upstream.url, elsewhere) as one:
        yield one


@pytest.fixture
def serve(tmp_path, upstream):
    """Starts a gateway whose upstream `one` has that credential."""
    opened = []

    def start(credential, url=None, **options):
        settings = {"one": upstream.settings(credential=credential, **({"url": url} if url else {}))}
        context = scene(tmp_path, upstream, settings=settings, environment=ENVIRONMENT, **options)
        opened.append(context)
        return context.__enter__()

    yield start
    for context in reversed(opened):
        context.__exit__(None, None, None)


def machine(authority, **more):
    return {"oauth": {"grant": "client_credentials", "token_url": authority.token_url, "client_id": "switchboard",
                      "client_secret": "${env:SECRET}", **more}}


def exchange(authority, **more):
    return {"oauth": {**machine(authority)["oauth"], "grant": "token_exchange", **more}}


@pytest.mark.quick
@pytest.mark.parametrize("credential, expected", [
    (None, {}),
    ("none", {}),
    ({"bearer": "${env:TOKEN}"}, {"authorization": "Bearer " + ENVIRONMENT["TOKEN"]}),
    ({"headers": {"X-Key": "${env:TOKEN}"}}, {"x-key": ENVIRONMENT["TOKEN"]}),
    ({"basic": {"username": "${env:OTHER}", "password": "${env:TOKEN}"}},
     {"authorization": "Basic " + base64.b64encode(f"0ther:{ENVIRONMENT['TOKEN']}".encode()).decode()}),
], ids=["left-out", "none", "bearer", "headers", "basic"])
@pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25"])
def test_the_fixed_forms_send_what_is_theirs_and_nothing_of_the_callers(serve, credential, expected, revision):
    here = serve(credential) if credential else serve("none")
    token = here.token()
    wire = here.wire(token, revision=revision)
    if revision != "2026-07-28":
        wire.initialize()
    received = wire.call("tools/call", {"name": "whoami", "arguments": {}}, headers={"X-Api-Key": None, "Cookie": "a=b"}).result
    headers = received["structuredContent"]["headers"]
    assert {name: headers.get(name) for name in expected} == expected
    assert expected.keys() or "authorization" not in headers
    assert token not in json.dumps(received) and "cookie" not in headers


@pytest.mark.quick
@pytest.mark.parametrize("method", ["basic", "post", "private_key_jwt"])
def test_client_credentials_are_the_gateways_own_and_kept_while_they_last(serve, guard, elsewhere, method, tmp_path):
    if method == "private_key_jwt":
        key = SigningKey("ES256")
        elsewhere.clients.add("switchboard", keys=[key])
        (tmp_path / "client.pem").write_text(key.private_pem)
        (tmp_path / "client.pem").chmod(0o600)
        credential = machine(elsewhere, client_auth=method, key=f"${{file:{tmp_path / 'client.pem'}}}", key_id=key.kid, algorithm="ES256")
        del credential["oauth"]["client_secret"]
    else:
        elsewhere.clients.add("switchboard", ENVIRONMENT["SECRET"], f"client_secret_{method}")
        credential = machine(elsewhere, client_auth=method)
    credential["oauth"] |= {"scopes": ["read", "write"], "resource": guard.url}
    here = serve(credential, guard.url)
    for user in (ALICE, BOB, ALICE):
        assert here.call("echo", {"text": "x"}, user).result
    assert guard.claims()["sub"] == "switchboard" and guard.claims()["scope"] == "read write"
    asked = elsewhere.asked("/token")
    assert len(asked) == 1 and asked[0]["client_auth"] == {"basic": "client_secret_basic", "post": "client_secret_post"}.get(method, method)
    assert asked[0]["form"].get("resource") == guard.url


@pytest.mark.parametrize("path", ["", "/realms/acme"])
@pytest.mark.parametrize("how", ["found by the upstream's metadata", "found at the host of the endpoint", "written", "nobody says"])
def test_an_assertion_is_for_the_issuer_where_that_is_known(serve, upstream, how, path, tmp_path):
    key = SigningKey("ES256")
    (tmp_path / "client.pem").write_text(key.private_pem)
    (tmp_path / "client.pem").chmod(0o600)
    with AuthorizationServer(path=path) as elsewhere, Guard(upstream.url, elsewhere) as guard:
        elsewhere.clients.add("switchboard", keys=[key])
        credential = machine(elsewhere, client_auth="private_key_jwt", key=f"${{file:{tmp_path / 'client.pem'}}}", algorithm="ES256")
        del credential["oauth"]["client_secret"]
        credential["oauth"]["resource"] = guard.url
        if not how.startswith("found by"):
            guard.metadata_changes = {"authorization_servers": []}
        if not how.startswith("found"):
            elsewhere.discovery = set()
        if how == "written":
            credential["oauth"]["issuer"] = elsewhere.issuer
        here = serve(credential, guard.url)
        assert here.call("echo", {"text": "x"}).result
        asked, = elsewhere.asked("/token")
        # A path can't be guessed.
        is_known = how in ("found by the upstream's metadata", "written") or how.startswith("found at") and not path
        assert claims_of(asked["form"]["client_assertion"])["aud"] == (elsewhere.issuer if is_known else elsewhere.token_url)


@pytest.mark.quick
def test_token_exchange_gives_each_caller_a_token_of_their_own(serve, guard, elsewhere):
    here = serve(exchange(elsewhere, audience=guard.url), guard.url)
    elsewhere.trusted.append(here.authority)
    elsewhere.exchange_audience = here.origin
    mine = here.token(ALICE)
    assert here.wire(mine).call("tools/call", {"name": "echo", "arguments": {"text": "x"}}).result
    assert guard.claims()["sub"] == ALICE and guard.claims()["aud"] == guard.url and guard.claims()["act"] == {"sub": "switchboard"}
    form = elsewhere.asked("/token", grant_type=EXCHANGE)[0]["form"]
    assert form["subject_token"] == mine and form["subject_token_type"].endswith(":access_token")
    assert here.call("echo", {"text": "x"}, BOB).result
    assert guard.claims()["sub"] == BOB
    assert mine not in guard.tokens, "the caller's token went upstream as it came"
    # The same caller again: what was exchanged is used again.
    before = len(elsewhere.asked("/token"))
    assert here.wire(mine).call("tools/call", {"name": "echo", "arguments": {"text": "x"}}).result
    assert len(elsewhere.asked("/token")) == before and guard.claims()["sub"] == ALICE


def test_exchanged_tokens_are_not_mixed_up_under_load(serve, guard, elsewhere):
    here = serve(exchange(elsewhere, audience=guard.url), guard.url)
    elsewhere.trusted.append(here.authority)
    users = [f"user{n}@example.com" for n in range(6)]

    def call(number, turn):
        user = users[(number + turn) % len(users)]
        headers = here.received(user=user)
        assert claims_of(headers["authorization"].removeprefix("Bearer "))["sub"] == user

    with Load(call, threads=6) as load:
        load.run(120)
    assert not load.failures, load.failures[0]


@pytest.mark.quick
@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
def test_a_signed_token_names_the_caller_for_a_short_while(serve, tmp_path, algorithm):
    key = SigningKey(algorithm)
    (tmp_path / "signing.pem").write_text(key.private_pem)
    (tmp_path / "signing.pem").chmod(0o600)
    here = serve({"signed_jwt": {"key": f"${{file:{tmp_path / 'signing.pem'}}}", "algorithm": algorithm,
                                 "issuer": "https://mcp.example.com", "audience": "https://up.example", "ttl": "60s"}})
    for user in (ALICE, BOB):
        mine = here.token(user)
        headers = here.wire(mine).call("tools/call", {"name": "whoami", "arguments": {}}).result["structuredContent"]["headers"]
        token = headers["authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, key.private.public_key(), [algorithm], audience="https://up.example", issuer="https://mcp.example.com")
        assert claims["sub"].endswith(user) and claims["exp"] - claims["iat"] <= 60 and token != mine and claims["jti"]


@pytest.mark.quick
def test_the_first_credential_whose_for_fits_is_sent(serve):
    here = serve([{"for": ["group:admins"], "bearer": "${env:TOKEN}"}, {"bearer": "${env:OTHER}"}])
    assert here.received(user=ROOT)["authorization"] == "Bearer " + ENVIRONMENT["TOKEN"]
    assert here.received(user=ALICE)["authorization"] == "Bearer 0ther"
    assert here.received(user=ROOT)["authorization"] == "Bearer " + ENVIRONMENT["TOKEN"]


def test_a_caller_for_whom_no_credential_is_meant_is_refused(serve, upstream):
    here = serve([{"for": ["group:admins"], "bearer": "${env:TOKEN}"}])
    assert here.received(user=ROOT)["authorization"]
    before = len(upstream.journal.entries(event="call"))
    reply = here.call("echo", {"text": "x"}, ALICE)
    assert "error" in reply.answer() or reply.result.get("isError")
    assert len(upstream.journal.entries(event="call")) == before


# What can go wrong

def test_a_token_that_the_upstream_refuses_is_renewed_once_and_the_call_made_again(serve, guard, elsewhere):
    here = serve(machine(elsewhere, resource=guard.url), guard.url)
    assert here.call("echo", {"text": "x"}).result
    before = len(elsewhere.asked("/token"))
    guard.refuse(1)
    assert here.call("echo", {"text": "again"}).result
    assert len(elsewhere.asked("/token")) == before + 1


def test_an_upstream_that_refuses_every_token_is_not_asked_for_ever(serve, guard, elsewhere):
    here = serve(machine(elsewhere, resource=guard.url), guard.url)
    assert here.call("echo", {"text": "x"}).result
    before = len(elsewhere.asked("/token"))
    guard.refuse(10_000)
    reply = here.call("echo", {"text": "x"})
    assert "error" in reply.answer() or reply.result.get("isError")
    assert len(elsewhere.asked("/token")) - before <= 3
    text = json.dumps(reply.messages)
    assert ENVIRONMENT["SECRET"] not in text and elsewhere.token_url not in text and "Bearer" not in text
    guard.refuse(0)
    eventually(lambda: "result" in here.call("echo", {"text": "x"}).answer(), within=40)


def test_many_callers_wait_for_one_token(serve, guard, elsewhere):
    here = serve(machine(elsewhere, resource=guard.url), guard.url)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(here.call("echo", {"text": "x"}).answer())) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 12 and all("result" in answer for answer in answers)
    assert len([entry for entry in elsewhere.asked("/token") if "issued" in entry]) == 1


def test_a_token_is_renewed_before_it_ends_and_no_call_fails(serve, guard, elsewhere):
    elsewhere.lifetime = 3
    here = serve(machine(elsewhere, resource=guard.url), guard.url)

    def call(number, turn):
        assert here.call("echo", {"text": "x"}).result

    with Load(call) as load:
        eventually(lambda: len(elsewhere.asked("/token")) >= 4, within=30)
    assert not load.failures and load.calls > 20, load.failures[:1]


def test_a_token_endpoint_that_is_down_does_no_harm_while_the_token_is_good(serve, guard, elsewhere):
    here = serve(machine(elsewhere, resource=guard.url), guard.url)
    assert here.call("echo", {"text": "x"}).result
    elsewhere.fault = 503
    for _ in range(5):
        assert here.call("echo", {"text": "x"}).result


@pytest.mark.parametrize("answer", ["garbage", 400, 401, 500, "close"])
def test_a_token_endpoint_that_answers_wrongly_is_an_error_without_secrets(serve, guard, elsewhere, answer):
    elsewhere.faults = {"/token": answer}
    here = serve(machine(elsewhere, resource=guard.url), guard.url)
    reply = here.call("echo", {"text": "x"})
    assert reply.status != 401, "the caller's own proof was good"
    message = reply.answer()
    assert "error" in message or message["result"].get("isError")
    shown = json.dumps(message) + here.gateway.process.stderr + here.gateway.get("/readyz")[1].decode()
    assert ENVIRONMENT["SECRET"] not in shown and base64.b64encode(ENVIRONMENT["SECRET"].encode()).decode() not in shown
    elsewhere.faults = {}
    eventually(lambda: "result" in here.call("echo", {"text": "x"}).answer(), within=40)


# Secrets change

def replace(path, text):
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.chmod(0o600)
    partial.rename(path)


def test_a_bearer_in_a_file_rotates_under_load_with_no_failed_call(serve, upstream, tmp_path):
    secret = tmp_path / "bearer"
    replace(secret, "first\n")
    here = serve({"bearer": f"${{file:{secret}}}"})
    seen = set()

    def call(number, turn):
        seen.add(here.received()["authorization"])

    with Load(call) as load:
        load.run(20)
        replace(secret, "second\n")
        eventually(lambda: "Bearer second" in seen)
        # What was on its way with the old one may still come in.
        load.run(8)
        seen.clear()
        load.run(20)
    assert not load.failures and seen == {"Bearer second"}, (load.failures[:1], seen)


def test_a_client_secret_rotates_under_load_with_no_failed_call(serve, guard, elsewhere, tmp_path):
    secret = tmp_path / "client-secret"
    replace(secret, "old-secret\n")
    elsewhere.clients.add("switchboard", "old-secret", secrets_too=["new-secret"])
    elsewhere.lifetime = 3
    credential = machine(elsewhere, resource=guard.url)
    credential["oauth"]["client_secret"] = f"${{file:{secret}}}"
    here = serve(credential, guard.url)

    def call(number, turn):
        assert here.call("echo", {"text": "x"}).result

    with Load(call) as load:
        load.run(20)
        replace(secret, "new-secret\n")
        before = len(elsewhere.asked("/token"))
        eventually(lambda: len(elsewhere.asked("/token")) > before + 1, within=30)
        elsewhere.clients.add("switchboard", "new-secret")
        before = len(elsewhere.asked("/token"))
        eventually(lambda: len(elsewhere.asked("/token")) > before, within=30)
    assert not load.failures, load.failures[0]


def test_a_signing_key_rotates_under_load_with_no_failed_call(serve, tmp_path):
    old, new = SigningKey("ES256"), SigningKey("ES256")
    path = tmp_path / "signing.pem"
    replace(path, old.private_pem)
    here = serve({"signed_jwt": {"key": f"${{file:{path}}}", "algorithm": "ES256", "issuer": "https://mcp.example.com",
                                 "audience": "https://up.example", "ttl": "5s"}})
    signers = []

    def call(number, turn):
        token = here.received()["authorization"].removeprefix("Bearer ")
        for name, key in (("old", old), ("new", new)):
            try:
                jwt.decode(token, key.private.public_key(), ["ES256"], audience="https://up.example")
                signers.append(name)
            except jwt.InvalidSignatureError:
                pass

    with Load(call) as load:
        load.run(10)
        replace(path, new.private_pem)
        eventually(lambda: "new" in signers, within=20)
    assert not load.failures and signers[0] == "old", load.failures[:1]
