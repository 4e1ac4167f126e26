"""The authorization server of these tests, held against the official SDK's OAuth clients without a gateway."""

import base64
import hashlib
import json
import threading
import urllib.parse
import urllib.request

import jwt
import pytest
from harness.authority import AuthorizationServer
from harness.authority_browser import CALLBACK, Browser, Wallet, provider, signed_in
from harness.authority_clients import ASSERTION
from harness.authority_grants import ACCESS_TOKEN, EXCHANGE
from harness.authority_guard import Guard
from harness.authority_keys import SigningKey, claims_of
from harness.upstream import Upstream, running
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider, PrivateKeyJWTOAuthProvider, SignedJWTParameters

pytestmark = [pytest.mark.anyio, pytest.mark.quick]


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    one = Upstream(tmp_path_factory.mktemp("authority"), "one", "current", "http")
    with running(one):
        yield one


@pytest.fixture
def authority():
    with AuthorizationServer() as server:
        yield server


@pytest.fixture
def guard(upstream, authority):
    with Guard(upstream.url, authority) as one:
        yield one


def ask(authority, form, headers=None, path="/token"):
    request = urllib.request.Request(authority.issuer + path, urllib.parse.urlencode(form).encode(), headers or {})
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def basic(name, secret):
    pair = f"{urllib.parse.quote_plus(name)}:{urllib.parse.quote_plus(secret)}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("path, algorithm", [("", "RS256"), ("/realms/acme", "ES256")])
async def test_the_sdk_signs_in_with_nothing_but_the_address(upstream, mode, path, algorithm):
    with AuthorizationServer(algorithm, path=path) as authority, Guard(upstream.url, authority) as guard:
        guard.scopes = ["mcp"]
        async with signed_in(guard.url, mode, provider(guard.url)) as client:
            assert (await client.call_tool("echo", {"text": "hello"})).content[0].text == "hello"
        assert guard.claims()["sub"] == "alice@example.com" and guard.claims()["aud"] == guard.url
        assert guard.claims()["groups"] == ["engineers"] and guard.claims()["scope"] == "mcp"


async def test_a_token_that_is_too_old_is_refreshed_and_the_refresh_token_rotates(guard, authority):
    wallet = Wallet()
    auth = provider(guard.url, wallet=wallet)
    async with signed_in(guard.url, auth=auth) as client:
        await client.call_tool("echo", {"text": "one"})
        first = wallet.tokens.refresh_token
        auth.context.token_expiry_time = 1
        await client.call_tool("echo", {"text": "two"})
    assert authority.asked("/token", grant_type="refresh_token") and wallet.tokens.refresh_token != first
    # The old one again: everything of this sign-in ends.
    client_id, secret = wallet.client.client_id, wallet.client.client_secret
    for token in (first, wallet.tokens.refresh_token):
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client_id}
        status, answer = ask(authority, form | ({"client_secret": secret} if wallet.client.token_endpoint_auth_method == "client_secret_post" else {}),
                             basic(client_id, secret) if wallet.client.token_endpoint_auth_method == "client_secret_basic" else {})
        assert (status, answer["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
async def test_the_sdks_machine_clients_get_tokens(guard, authority, method):
    key = SigningKey("RS256")
    if method == "private_key_jwt":
        authority.clients.add("robot", keys=[key])
        signed = SignedJWTParameters(issuer="robot", subject="robot", signing_algorithm="RS256", signing_key=key.private_pem)
        auth = PrivateKeyJWTOAuthProvider(guard.url, Wallet(), "robot", assertion_provider=signed.create_assertion_provider(),
                                          issuer=authority.issuer)
    else:
        authority.clients.add("robot", "s3 cr:t%", method)
        auth = ClientCredentialsOAuthProvider(guard.url, Wallet(), "robot", "s3 cr:t%", method, issuer=authority.issuer)
    async with signed_in(guard.url, auth=auth) as client:
        await client.call_tool("echo", {"text": "hello"})
    assert guard.claims()["sub"] == "robot" and authority.asked("/token")[-1]["client_auth"] == method


async def test_a_scope_that_is_missing_leads_to_a_step_up(guard):
    guard.scopes, guard.tool_scopes = ["mcp"], {"add": "sums"}
    async with signed_in(guard.url, auth=provider(guard.url)) as client:
        await client.call_tool("echo", {"text": "hello"})
        assert guard.claims()["scope"] == "mcp"
        assert (await client.call_tool("add", {"a": 1, "b": 2})).structured_content == {"sum": 3}
    assert set(guard.claims()["scope"].split()) == {"mcp", "sums"}


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384", "EdDSA"])
def test_published_keys_verify_what_was_signed_also_after_a_rotation(algorithm):
    with AuthorizationServer(algorithm) as authority:
        before = authority.token(audience="a")
        authority.rotate()
        keys = jwt.PyJWKClient(authority.jwks_url)
        for token in (before, authority.token(audience="a")):
            assert jwt.decode(token, keys.get_signing_key_from_jwt(token).key, [algorithm], audience="a", issuer=authority.issuer)
        assert len({jwt.get_unverified_header(t)["kid"] for t in (before, authority.token())}) == 2


def test_tokens_are_exchanged_for_another_audience_and_say_by_whom(authority):
    authority.clients.add("switchboard", "s3cret")
    subject = authority.token(user="bob@example.com", audience="https://mcp.example.com")
    form = {"grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": ACCESS_TOKEN, "audience": "https://up.example"}
    status, answer = ask(authority, form, basic("switchboard", "s3cret"))
    claims = claims_of(answer["access_token"])
    assert status == 200 and answer["issued_token_type"] == ACCESS_TOKEN
    assert (claims["sub"], claims["aud"], claims["act"]) == ("bob@example.com", "https://up.example", {"sub": "switchboard"})
    status, answer = ask(authority, {**form, "subject_token": authority.key.unsigned(claims_of(subject))}, basic("switchboard", "s3cret"))
    assert (status, answer["error"]) == (400, "invalid_grant")


def start(authority, **more):
    """An authorization request by hand; returns the redirect's parameters and the verifier."""
    authority.clients.add("app", redirect_uris=[CALLBACK])
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {"response_type": "code", "client_id": "app", "redirect_uri": CALLBACK, "state": "s", "code_challenge": challenge,
             "code_challenge_method": "S256", **more}
    page = Browser().open(f"{authority.issuer}/authorize?" + urllib.parse.urlencode({k: v for k, v in query.items() if v is not None}))
    return page, verifier


@pytest.mark.parametrize("change, error", [
    ({"code_verifier": "w" * 43}, "invalid_grant"), ({"redirect_uri": CALLBACK + "2"}, "invalid_grant"),
    ({"code": "guess"}, "invalid_grant"), ({"resource": "https://other.example"}, "invalid_target"),
    ({"client_id": "other"}, "invalid_grant"), ({"grant_type": "password"}, "unsupported_grant_type")])
def test_what_does_not_fit_the_code_is_refused(authority, change, error):
    authority.clients.add("other")
    page, verifier = start(authority, resource="https://up.example")
    assert page.parameters["iss"] == authority.issuer and page.parameters["state"] == "s"
    form = {"grant_type": "authorization_code", "code": page.parameters["code"], "redirect_uri": CALLBACK, "client_id": "app",
            "code_verifier": verifier}
    assert ask(authority, {**form, **change})[1]["error"] == error


def test_a_code_works_once(authority):
    page, verifier = start(authority)
    form = {"grant_type": "authorization_code", "code": page.parameters["code"], "redirect_uri": CALLBACK, "client_id": "app",
            "code_verifier": verifier}
    assert [ask(authority, form)[0] for _ in range(2)] == [200, 400]


@pytest.mark.parametrize("change, status", [
    ({"redirect_uri": "https://evil.example/"}, 400), ({"client_id": "nobody"}, 401),
    ({"code_challenge": None}, 302), ({"code_challenge_method": "plain"}, 302), ({"response_type": "token"}, 302)])
def test_a_doubtful_authorization_request_gets_no_code(authority, change, status):
    page, _ = start(authority, **change)
    assert page.status == status and "code" not in page.parameters


def test_a_page_asks_where_it_shall_and_no_is_an_answer(authority):
    authority.interactive = True
    page, _ = start(authority, scope="read")
    browser = Browser("bob@example.com")
    page = browser.open(page.url)
    assert "bob@example.com" in page.text and "read" in page.text
    assert "code" in browser.submit(page).parameters
    assert browser.submit(page, decision="deny").parameters["error"] == "access_denied"


def test_assertions_work_once_and_secrets_by_their_registered_method_only(authority):
    key = SigningKey("ES256")
    authority.clients.add("robot", keys=[key])
    authority.clients.add("posts", "s3cret", "client_secret_post")
    claims = {**authority.claims("robot", "robot", authority.token_url), "iss": "robot"}
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": key.sign(claims, typ="JWT")}
    assert [ask(authority, form)[0] for _ in range(2)] == [200, 401]
    forged = SigningKey("ES256", kid=key.kid).sign({**claims, "jti": "2"}, typ="JWT")
    assert ask(authority, {**form, "client_assertion": forged})[0] == 401
    assert ask(authority, {"grant_type": "client_credentials"}, basic("posts", "s3cret"))[0] == 401


def test_it_can_be_down_and_come_back(authority):
    authority.fault = 503
    assert ask(authority, {})[0] == 503
    authority.fault, authority.faults = None, {"/token": 500}
    assert ask(authority, {})[0] == 500 and Browser().open(authority.jwks_url).status == 200
    authority.stop()
    with pytest.raises(OSError):
        Browser().open(authority.jwks_url)
    authority.start()
    assert Browser().open(authority.jwks_url).status == 200


def test_many_ask_at_once(authority):
    authority.clients.add("robot", "s3cret")
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(ask(authority, {"grant_type": "client_credentials"}, basic("robot", "s3cret"))[0]))
               for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20
