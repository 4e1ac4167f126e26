"""Tokens of an authorization server at the door: good ones, forged ones, and what happens while keys change."""

import base64
import http.client
import json
import time

import pytest
from harness import schemas
from harness.authority import AuthorizationServer
from harness.authority_browser import Wallet, provider, signed_in
from harness.authority_keys import SigningKey, base64url, claims_of
from harness.authority_scene import Load, Scene, scene
from harness.deadline import eventually
from harness.upstream import Upstream, running

pytestmark = [pytest.mark.gateway, pytest.mark.anyio]


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    one = Upstream(tmp_path_factory.mktemp("tokens"), "one", "current", "http")
    with running(one):
        yield one


@pytest.fixture(scope="module")
def shared(tmp_path_factory, upstream):
    """For tests that leave it as they found it."""
    servers = {name: Scene.TEAM for name in ("team", "other")}
    with scene(tmp_path_factory.mktemp("shared"), upstream, servers=servers) as one:
        yield one


@pytest.fixture
def own(tmp_path, upstream):
    with scene(tmp_path, upstream) as one:
        yield one


# Signing in

@pytest.mark.quick
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_sdk_signs_in_through_the_gateway_with_nothing_but_the_address(shared, mode):
    wallet = Wallet()
    async with signed_in(shared.gateway.url("team"), mode, provider(shared.gateway.url("team"), wallet=wallet)) as client:
        assert (await client.call_tool("echo", {"text": "hello"})).content[0].text == "hello"
        received = (await client.call_tool("whoami", {})).structured_content["headers"]
    assert claims_of(wallet.tokens.access_token)["aud"] == shared.gateway.url("team"), "RFC 8707: the address that was typed"
    assert wallet.tokens.access_token not in json.dumps(received) and "authorization" not in received


@pytest.mark.quick
def test_without_a_token_the_answer_leads_to_the_authorization_server(shared):
    reply = shared.wire().call("tools/list")
    challenge = reply.headers["www-authenticate"]
    assert reply.status == 401 and challenge.startswith("Bearer ") and "error=" not in challenge
    address = challenge.split('resource_metadata="')[1].split('"')[0]
    assert address == f"{shared.origin}/.well-known/oauth-protected-resource/team/mcp"
    status, body = shared.gateway.get(address.removeprefix(shared.origin))
    document = json.loads(body)
    assert status == 200 and document["authorization_servers"] == [shared.authority.issuer]
    assert document["resource"] == shared.gateway.url("team")


@pytest.mark.quick
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_every_default_algorithm_is_accepted(tmp_path, upstream, algorithm):
    with AuthorizationServer(algorithm) as authority, scene(tmp_path, upstream, authority=authority) as one:
        assert one.call("echo", {"text": "hello"}).result


def test_an_algorithm_that_was_not_configured_is_not_accepted(tmp_path, upstream):
    with AuthorizationServer("ES256") as authority:
        with scene(tmp_path, upstream, authority=authority) as one:
            one.configuration.write_gateway({
                "public_url": one.origin, "upstreams": {"one": upstream.settings()},
                "identity": {"issuers": [{**one.issuer, "algorithms": ["RS256"]}]}})
            one.gateway.reload()
            eventually(lambda: one.call("echo", {"text": "x"}).status == 401)


def test_a_token_for_one_virtual_server_is_good_for_that_one_only(shared):
    token = shared.token(audience=shared.gateway.url("team"))
    for _ in range(2):
        assert shared.wire(token).call("tools/call", {"name": "echo", "arguments": {"text": "mine"}}).result
        assert shared.wire(token, server="other").call("tools/call", {"name": "echo", "arguments": {"text": "not mine"}}).status == 401
    everywhere = shared.token()
    assert all(shared.wire(everywhere, server=name).call("tools/list").status == 200 for name in ("team", "other"))


# Attacks

def attack(make):
    """A token made from the scene and good claims."""
    return pytest.param(make, id=make.__name__.replace("_", "-"))


def expired(s, claims):
    return s.authority.key.sign({**claims, "exp": int(time.time()) - 120})


def not_yet_valid(s, claims):
    return s.authority.key.sign({**claims, "nbf": int(time.time()) + 600})


def without_an_end(s, claims):
    return s.authority.key.sign({k: v for k, v in claims.items() if k != "exp"})


def an_end_that_is_a_text(s, claims):
    return s.authority.key.sign({**claims, "exp": "9999999999"})


def for_another_audience(s, claims):
    return s.authority.key.sign({**claims, "aud": "https://other.example"})


def for_an_audience_that_begins_like_ours(s, claims):
    return s.authority.key.sign({**claims, "aud": s.origin + ".evil.example"})


def for_another_virtual_server(s, claims):
    return s.authority.key.sign({**claims, "aud": s.gateway.url("other")})


def for_nobody(s, claims):
    return s.authority.key.sign({k: v for k, v in claims.items() if k != "aud"})


def for_a_list_of_others(s, claims):
    return s.authority.key.sign({**claims, "aud": ["https://a.example", {"not": s.origin}]})


def by_another_issuer(s, claims):
    return s.authority.key.sign({**claims, "iss": "https://evil.example"})


def by_an_issuer_that_looks_alike(s, claims):
    return s.authority.key.sign({**claims, "iss": s.authority.issuer + "/"})


def by_nobody(s, claims):
    return s.authority.key.sign({k: v for k, v in claims.items() if k != "iss"})


def about_nobody(s, claims):
    return s.authority.key.sign({k: v for k, v in claims.items() if k not in ("sub", "azp", "client_id")})


def about_a_list(s, claims):
    return s.authority.key.sign({**claims, "sub": ["alice@example.com"]})


def signed_by_a_key_of_the_same_name(s, claims):
    return SigningKey("RS256", kid=s.authority.key.kid).sign(claims)


def signed_by_a_key_that_it_brings_along(s, claims):
    key = SigningKey("RS256")
    return key.sign(claims, jwk=key.jwk)


def signed_by_a_key_that_it_points_to(s, claims):
    return SigningKey("RS256", kid="x").sign(claims, jku="http://127.0.0.1:1/jwks", x5u="http://127.0.0.1:1/cert")


def with_a_path_as_key_id(s, claims):
    return SigningKey("RS256", kid="../../../../dev/null").sign(claims)


def tampered(s, claims):
    return s.authority.key.tampered(s.authority.key.sign(claims), sub="root@example.com")


def unsigned(s, claims):
    return s.authority.key.unsigned(claims)


def unsigned_in_other_letters(s, claims):
    return s.authority.key.unsigned(claims, "nOnE")


def unsigned_with_no_word_about_it(s, claims):
    return s.authority.key.unsigned(claims, "")


def signature_taken_off(s, claims):
    return s.authority.key.sign(claims).rsplit(".", 1)[0] + "."


def hmac_of_the_public_key(s, claims):
    return s.authority.key.sign_as_hmac(claims)


def hmac_under_the_right_name(s, claims):
    return s.authority.key.sign_as_hmac(claims).replace(base64url({"typ": "at+jwt", "alg": "HS256", "kid": s.authority.key.kid}),
                                                        base64url({"typ": "at+jwt", "alg": "RS256", "kid": s.authority.key.kid}))


def another_algorithm_of_the_same_key(s, claims):
    return s.authority.key.sign(claims, alg="PS256")


def an_elliptic_signature_of_zeros(s, claims):
    head = base64url({"typ": "at+jwt", "alg": "ES256", "kid": s.authority.key.kid})
    return f"{head}.{base64url(claims)}.{base64url(bytes(64))}"


def of_another_type(s, claims):
    return s.authority.key.sign(claims, typ="secevent+jwt")


def with_a_critical_extension(s, claims):
    return s.authority.key.sign(claims, crit=["b64"], b64=False)


def nested(s, claims):
    return s.authority.key.sign_text({"typ": "JWT", "cty": "JWT", "alg": "RS256", "kid": s.authority.key.kid},
                                     base64url(s.authority.key.sign(claims)))


def a_claim_twice(s, claims):
    text = json.dumps({**claims, "sub": "alice@example.com"})
    return s.authority.key.sign_text({"typ": "at+jwt", "alg": "RS256", "kid": s.authority.key.kid},
                                     text[:-1] + ', "s\\u0075b": "root@example.com"}')


def an_algorithm_twice(s, claims):
    return s.authority.key.sign_text(f'{{"alg":"none","kid":"{s.authority.key.kid}","alg":"RS256"}}', claims)


def claims_that_are_a_list(s, claims):
    return s.authority.key.sign_text({"alg": "RS256", "kid": s.authority.key.kid}, [claims])


def padded(s, claims):
    return s.authority.key.sign(claims) + "=="


def with_a_fourth_part(s, claims):
    return s.authority.key.sign(claims) + ".e30"


def in_the_other_alphabet(s, claims):
    head, body, signature = s.authority.key.sign({**claims, "pad": "?>?>?>~~~"}).split(".")
    assert "_" in body or "-" in body
    return ".".join([head, body.replace("-", "+").replace("_", "/"), signature])


def encrypted_by_its_form(s, claims):
    return ".".join([base64url({"alg": "dir", "enc": "A256GCM"}), "", base64url(b"0" * 12), base64url(b"x" * 60), base64url(b"t" * 16)])


def deeply_nested(s, claims):
    text = json.dumps(claims)[:-1] + ', "deep": ' + "[" * 3000 + "]" * 3000 + "}"
    return s.authority.key.sign_text({"alg": "RS256", "kid": s.authority.key.kid}, text)


def too_big(s, claims):
    return s.authority.key.sign({**claims, "padding": "x" * 20_000})


def not_a_token(s, claims):
    return "hunter2"


def an_api_key_of_nobody(s, claims):
    return "sb_" + "A" * 43


ATTACKS = [
    expired, not_yet_valid, without_an_end, an_end_that_is_a_text, for_another_audience, for_an_audience_that_begins_like_ours,
    for_another_virtual_server, for_nobody, for_a_list_of_others, by_another_issuer, by_an_issuer_that_looks_alike, by_nobody, about_nobody,
    about_a_list, signed_by_a_key_of_the_same_name, signed_by_a_key_that_it_brings_along, signed_by_a_key_that_it_points_to, with_a_path_as_key_id,
    tampered, unsigned, unsigned_in_other_letters, unsigned_with_no_word_about_it, signature_taken_off, hmac_of_the_public_key,
    hmac_under_the_right_name, another_algorithm_of_the_same_key, an_elliptic_signature_of_zeros, of_another_type, with_a_critical_extension,
    nested, a_claim_twice, an_algorithm_twice, claims_that_are_a_list, padded, with_a_fourth_part, in_the_other_alphabet, encrypted_by_its_form,
    deeply_nested, too_big, not_a_token, an_api_key_of_nobody]


@pytest.mark.quick
@pytest.mark.parametrize("make", [attack(one) for one in ATTACKS])
def test_a_token_that_is_not_good_opens_nothing(shared, make):
    # So that its kind of token is known to be accepted when nothing is wrong with it.
    assert shared.call("echo", {"text": "good"}).result
    before = len(shared.upstream.journal.entries(event="call"))
    claims = shared.authority.claims("alice@example.com", "agent", shared.origin, groups=["engineers"])
    token = make(shared, claims)
    reply = shared.wire(token).call("tools/call", {"name": "echo", "arguments": {"text": "bad"}})
    if make is too_big:
        assert reply.status in (400, 401, 431)
    else:
        assert reply.status == 401 and 'error="invalid_token"' in reply.headers["www-authenticate"], (reply.status, reply.body)
    assert len(shared.upstream.journal.entries(event="call")) == before
    # The caller learns that it was refused, not why; the token stands in no log.
    for word in ("signature", "expired", "audience", "alg", shared.authority.key.kid):
        assert word not in reply.body.decode() + reply.headers.get("www-authenticate", "").replace("resource_metadata", "")
    assert token not in shared.gateway.process.stderr


@pytest.mark.quick
@pytest.mark.parametrize("headers", [
    [("Authorization", "Bearer {}"), ("Authorization", "Bearer x")],
    [("Authorization", "Bearer {}, Bearer x")],
    [("Authorization", "Bearer {} x")],
    [("Authorization", "Basic {}")],
    [("Authorization", "{}")],
    [("Authorization", "Bearer\t{}")],
    [("Authorization", "Bearer {}"), ("X-API-Key", "sb_x")],
], ids=["two-headers", "two-in-one", "two-words", "basic", "no-scheme", "tab", "two-kinds"])
def test_a_doubtful_header_is_refused(shared, headers):
    pairs = [(name, value.format(shared.token())) for name, value in headers]
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}}
    wire = shared.wire(revision="2025-06-18")
    reply = wire.send("POST", message, [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"), *pairs])
    assert reply.status in (400, 401)


def test_a_token_in_the_query_is_no_token(shared):
    wire = shared.wire()
    wire.path += "?access_token=" + shared.token()
    assert wire.call("tools/list").status == 401


def test_a_verified_token_stays_bound_to_its_own_bytes(shared):
    # A memory of verified tokens must not take another for one that it knows.
    token = shared.token()
    assert shared.wire(token).call("tools/list").result
    for place in (-1, -40, len(token) // 2, 5):
        other = list(token)
        other[place] = "A" if other[place] != "A" else "B"
        assert shared.wire("".join(other)).call("tools/list").status == 401


# Keys change, issuers go down

def fetched(authority):
    return len(authority.asked("/jwks"))


def test_a_key_that_is_new_is_fetched_when_it_is_first_seen_and_no_call_fails(own):
    def call(number, turn):
        assert own.call("echo", {"text": f"{number}.{turn}"}).result["content"][0]["text"] == f"{number}.{turn}"

    assert own.call("echo", {"text": "x"}).result
    with Load(call) as load:
        load.run(80)
        # Somebody makes a key up, just before there is a new one.
        claims = own.authority.claims("alice@example.com", "agent", own.origin)
        assert own.wire(SigningKey("ES256").sign(claims)).call("tools/list").status == 401
        own.authority.rotate("ES256")       # signs at once: the gateway has never seen it
        load.run(80)
    assert not load.failures and load.calls >= 160, load.failures[:1]


def test_all_published_keys_are_good_whichever_signs(tmp_path, upstream):
    with AuthorizationServer() as authority:
        for algorithm in ("ES256", "EdDSA"):
            authority.rotate(algorithm)
        with scene(tmp_path, upstream, authority=authority) as one:
            for key in authority.keys:
                token = authority.token(audience=one.origin, key=key)
                assert one.wire(token).call("tools/call", {"name": "echo", "arguments": {"text": "x"}}).result


def test_unknown_key_ids_do_not_make_the_gateway_hammer_the_issuer(own):
    assert own.call("echo", {"text": "x"}).result
    before = fetched(own.authority)
    claims = own.authority.claims("alice@example.com", "agent", own.origin)
    for _ in range(30):
        assert own.wire(SigningKey("ES256").sign(claims)).call("tools/list").status == 401
    assert fetched(own.authority) - before <= 3
    assert own.call("echo", {"text": "x"}).result


@pytest.mark.parametrize("fault", [503, "garbage", "close", "stopped"])
def test_an_issuer_that_goes_down_takes_nobody_with_it(own, fault):
    assert own.call("echo", {"text": "x"}).result
    own.authority.stop() if fault == "stopped" else setattr(own.authority, "fault", fault)
    assert own.call("echo", {"text": "a new token by a known key"}).result
    stranger = SigningKey("RS256").sign(own.authority.claims("alice@example.com", "agent", own.origin))
    assert own.wire(stranger).call("tools/list").status in (401, 503)
    assert own.call("echo", {"text": "still"}).result


def test_an_issuer_that_was_never_there_is_said_to_be_missing_and_comes_back(tmp_path, upstream):
    with AuthorizationServer() as authority:
        authority.fault = 503
        with scene(tmp_path, upstream, authority=authority) as one:
            reply = one.call("echo", {"text": "x"})
            assert reply.status == 503 and int(reply.headers["retry-after"]) > 0
            authority.fault = None
            eventually(lambda: one.call("echo", {"text": "x"}).status == 200, within=45)


def test_metadata_that_names_another_issuer_is_not_believed(tmp_path, upstream):
    with AuthorizationServer() as authority:
        authority.metadata_changes = {"issuer": "https://evil.example"}
        with scene(tmp_path, upstream, authority=authority) as one:
            assert one.call("echo", {"text": "x"}).status in (401, 503)


@pytest.mark.parametrize("path, discovery", [("", {"oauth"}), ("/realms/acme", {"oauth"}), ("/realms/acme", {"oidc"}), ("/realms/acme", {"oidc-path"})])
def test_keys_are_found_by_every_form_of_discovery(tmp_path, upstream, path, discovery):
    with AuthorizationServer(path=path) as authority:
        authority.discovery = discovery
        with scene(tmp_path, upstream, authority=authority) as one:
            assert one.call("echo", {"text": "x"}).result


# Sessions and streams

@pytest.mark.quick
def test_a_session_is_its_callers_alone(shared):
    alice = shared.wire(shared.token(), revision="2025-11-25")
    alice.initialize()
    mallory = shared.wire(shared.token("bob@example.com"), revision="2025-11-25")
    mallory.session = alice.session
    assert mallory.call("tools/call", {"name": "echo", "arguments": {"text": "x"}}).status == 404
    assert mallory.listen().status == 404 and mallory.delete().status == 404
    nobody = shared.wire(revision="2025-11-25")
    nobody.session = alice.session
    assert nobody.call("tools/list").status == 401
    # A renewed token of the same person goes on with it.
    alice.token = shared.token(client="agent")
    assert alice.call("tools/call", {"name": "echo", "arguments": {"text": "mine"}}).result


def test_posting_to_another_callers_sse_stream_is_refused(shared):
    wire = shared.wire(shared.token(), revision="2024-11-05")
    stream = wire.send("GET", headers={"Accept": "text/event-stream"}, path="/team/sse")
    name, address = stream.event()
    assert name == "endpoint"
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    posted = shared.wire(shared.token("bob@example.com"), revision="2024-11-05").send(
        "POST", message, {"Content-Type": "application/json"}, path=address)
    assert posted.status in (403, 404)
    assert wire.send("POST", message, {"Content-Type": "application/json"}, path=address).status == 202
    stream.close()


def test_a_stream_ends_with_the_token_that_opened_it(own):
    wire = own.wire(own.authority.token(audience=own.origin, exp=int(time.time()) - 56), revision="2025-11-25")
    # Within the clock skew of a minute for four seconds more.
    wire.initialize()
    stream = wire.listen()
    assert stream.status == 200
    while stream.event() is not None:
        pass
    assert wire.call("tools/list").status == 401


def test_what_is_open_to_everyone_says_nothing_about_callers(shared):
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=10)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    token = shared.token()
    assert shared.wire(token).call("tools/list").result
    assert token not in shared.gateway.get("/readyz")[1].decode() and "alice" not in shared.gateway.get("/readyz")[1].decode()


def test_an_unknown_server_is_not_found_with_and_without_a_token(shared):
    for token in (None, shared.token(), "bad"):
        assert shared.wire(token, server="nowhere").call("tools/list").status == 404


def test_a_basic_header_that_holds_a_token_is_no_proof(shared):
    pair = base64.b64encode(f"alice:{shared.token()}".encode()).decode()
    assert shared.wire().call("tools/list", headers={"Authorization": f"Basic {pair}"}).status == 401


def test_revisions_all_want_the_proof(shared):
    for revision in (*schemas.LEGACY, schemas.MODERN):
        assert shared.wire(revision=revision).post(
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}}).status == 401
