"""The official conformance scenarios auth/*: what a client finds out about an upstream's authorization, and how it signs in.

Others of them are in test_sign_in.py: resource-mismatch, metadata-issuer-mismatch, scope-step-up; client-credentials-* in test_auth_upstream.py.
"""

import base64
import urllib.parse

import pytest
from harness.authority import AuthorizationServer
from harness.authority_keys import SigningKey, claims_of
from harness.deadline import eventually
from test_sign_in import Person, guard, serve, upstream  # noqa: F401

pytestmark = pytest.mark.gateway

WELL_KNOWN = "/.well-known/oauth-protected-resource"
# Where the upstream's metadata is, whether the challenge says so, the path of the issuer, and what kind of metadata it has.
PLACES = {
    "metadata-default": (WELL_KNOWN + "/mcp", True, "", "oauth"),
    "metadata-var1": (WELL_KNOWN + "/mcp", False, "", "oidc"),
    "metadata-var2": (WELL_KNOWN, False, "/tenant1", "oauth"),
    "metadata-var3": ("/custom/metadata/location.json", True, "/tenant1", "oidc-path"),
}


@pytest.fixture
def place(request):
    return getattr(request, "param", PLACES["metadata-default"])


@pytest.fixture
def elsewhere(place):
    with AuthorizationServer(path=place[2]) as authority:
        authority.default_scopes, authority.discovery = (), {place[3]}
        # Such that the gateway registers.
        authority.clients.metadata_documents = False
        yield authority


def signed_in(serve, **oauth):  # noqa: F811
    alice = Person(serve(registered=False, **oauth))
    page = alice.sign_in(alice.asked("sign_in_one", {})[0])
    assert page.status == 200, page.text
    eventually(lambda: "add" in alice.names())
    return alice


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES, indirect=True)
def test_metadata_is_found_wherever_it_is(serve, guard, elsewhere, place):  # noqa: F811
    guard.metadata_path, guard.challenges_with_metadata = place[:2]
    alice = signed_in(serve)
    assert alice.call().result["content"][0]["text"] == "3"
    registration, = elsewhere.asked("/register")
    authorization, = elsewhere.asked("/authorize")[:1]
    token, = elsewhere.asked("/token")
    assert registration["form"]["redirect_uris"] == [alice.scene.origin + "/oauth/callback"]
    assert authorization["form"]["code_challenge_method"] == "S256" and token["form"]["code_verifier"]
    assert authorization["form"]["resource"] == token["form"]["resource"] == guard.url
    assert authorization["form"]["response_type"] == "code" and token["form"]["grant_type"] == "authorization_code"


@pytest.mark.parametrize("challenged, supported, asked", [
    (["mcp:basic"], ["mcp:basic", "mcp:read", "mcp:write"], "mcp:basic"),
    ([], ["mcp:basic", "mcp:read", "mcp:write"], "mcp:basic mcp:read mcp:write"),
    ([], None, None),
], ids=["scope-from-www-authenticate", "scope-from-scopes-supported", "scope-omitted-when-undefined"])
def test_what_is_asked_for_is_what_the_upstream_names(serve, guard, elsewhere, challenged, supported, asked):  # noqa: F811
    guard.scopes = challenged
    guard.metadata_changes = {"scopes_supported": supported} if supported else {}
    signed_in(serve)
    assert elsewhere.asked("/authorize")[0]["form"].get("scope") == asked


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_a_registered_client_proves_itself_as_the_server_wants_it(serve, elsewhere, method):  # noqa: F811
    elsewhere.metadata_changes = {"token_endpoint_auth_methods_supported": [method]}
    signed_in(serve)
    registration, = elsewhere.asked("/register")
    assert registration["form"]["token_endpoint_auth_method"] == method
    token, = elsewhere.asked("/token")
    proof = token["headers"].get("Authorization", "")
    assert ("client_secret" in token["form"]) == (method == "client_secret_post")
    assert proof.startswith("Basic ") == (method == "client_secret_basic")
    if method == "client_secret_basic":
        id, secret = map(urllib.parse.unquote, base64.b64decode(proof.removeprefix("Basic ")).decode().split(":"))
        assert id and secret
    else:
        assert not proof and token["form"]["client_id"]


# pre-registration

@pytest.mark.parametrize("listed, method", [
    (["client_secret_basic"], "client_secret_basic"), (["client_secret_post"], "client_secret_post"),
    (["client_secret_post", "client_secret_basic"], "client_secret_basic"), (None, "client_secret_basic"),
    (["private_key_jwt"], "client_secret_post")], ids=str)
def test_a_secret_goes_to_the_server_as_its_metadata_says(serve, elsewhere, listed, method):  # noqa: F811
    elsewhere.metadata_changes = {"token_endpoint_auth_methods_supported": listed}
    elsewhere.lifetime = 8
    alice = Person(serve())
    elsewhere.clients.known["switchboard"]["token_endpoint_auth_method"] = method
    assert alice.sign_in(alice.asked("sign_in_one", {})[0]).status == 200
    eventually(lambda: "add" in alice.names())
    # Again when it is renewed, also by a gateway that knows of this only from its store.
    alice.scene.gateway.stop()
    alice.scene.gateway.start(alice.scene.port)
    eventually(lambda: (alice.call(), elsewhere.asked("/token", grant_type="refresh_token"))[1])
    assert [entry.get("client_auth") for entry in elsewhere.asked("/token")] == [method] * len(elsewhere.asked("/token"))


def test_an_assertion_is_for_the_issuer_whenever_the_user_needs_a_token(serve, elsewhere, tmp_path):  # noqa: F811
    key = SigningKey("ES256")
    (tmp_path / "client.pem").write_text(key.private_pem)
    (tmp_path / "client.pem").chmod(0o600)
    elsewhere.lifetime = 8
    alice = Person(serve(registered=False, client_id="switchboard", client_auth="private_key_jwt", algorithm="ES256",
                         key=f"${{file:{tmp_path / 'client.pem'}}}"))
    elsewhere.clients.add("switchboard", keys=[key], redirect_uris=[alice.scene.origin + "/oauth/callback"])
    assert alice.sign_in(alice.asked("sign_in_one", {})[0]).status == 200
    eventually(lambda: (alice.call(), elsewhere.asked("/token", grant_type="refresh_token"))[1])
    assert {claims_of(entry["form"]["client_assertion"])["aud"] for entry in elsewhere.asked("/token")} == {elsewhere.issuer}


@pytest.mark.parametrize("offered", [True, False], ids=["offline-access-scope", "offline-access-not-supported"])
def test_access_while_the_user_is_away_is_asked_for_where_it_is_offered(serve, guard, elsewhere, offered):  # noqa: F811
    guard.metadata_changes = {"scopes_supported": ["mcp:basic"]}
    elsewhere.metadata_changes = {"scopes_supported": ["mcp:basic", "offline_access"] if offered else ["mcp:basic"]}
    signed_in(serve)
    scopes = elsewhere.asked("/authorize")[0]["form"]["scope"].split()
    assert "mcp:basic" in scopes and ("offline_access" in scopes) == offered
    assert set(elsewhere.asked("/register")[0]["form"]["grant_types"]) == {"authorization_code", "refresh_token"}


# authorization-server-migration

@pytest.fixture
def new_home():
    with AuthorizationServer() as authority:
        authority.default_scopes, authority.clients.metadata_documents = (), False
        yield authority


@pytest.mark.parametrize("is_gone", [False, True], ids=["the old server still renews", "the old server is gone"])
def test_users_of_an_upstream_whose_server_changed_sign_in_at_the_new_one(serve, guard, elsewhere, new_home, is_gone):  # noqa: F811
    alice = signed_in(serve)
    guard.authority = new_home
    if is_gone:
        elsewhere.stop()
    alice.scene.gateway.stop()
    alice.scene.gateway.start(alice.scene.port)
    eventually(lambda: alice.names() == ["sign_in_one"])
    page = alice.sign_in(alice.asked("sign_in_one", {})[0])
    assert page.status == 200, page.text
    eventually(lambda: "add" in alice.names())
    assert alice.call().result["content"][0]["text"] == "3"
    known = set(elsewhere.clients.known)
    assert len(known) == len(new_home.asked("/register")) == 1
    assert {entry["form"].get("client_id") for path in ("/authorize", "/token") for entry in new_home.asked(path)} - {None} <= set(new_home.clients.known) - known


def test_a_call_whose_token_counts_no_more_gives_a_link_to_the_new_server(serve, guard, elsewhere, new_home):  # noqa: F811
    alice = signed_in(serve)
    guard.authority = new_home
    link, retry = alice.asked()
    assert alice.sign_in(link).status == 200
    assert alice.call(**retry).result["content"][0]["text"] == "3"
    assert len(new_home.asked("/register")) == 1


def test_a_client_that_was_registered_by_hand_is_not_shown_to_another_server(serve, guard, elsewhere, new_home):  # noqa: F811
    alice = Person(serve())
    alice.sign_in(alice.asked("sign_in_one", {})[0])
    eventually(lambda: "add" in alice.names())
    guard.authority = new_home
    link, _ = alice.asked()
    assert alice.agree(link).status == 502
    assert "was registered" in alice.scene.gateway.process.stderr and new_home.issuer in alice.scene.gateway.process.stderr
    assert not new_home.asked("/authorize") and not new_home.asked("/token")


# scope-retry-limit, where the scope is wanted already for the lists

@pytest.mark.parametrize("granted", [True, False])
def test_who_may_not_even_list_is_asked_to_allow_more_once(serve, guard, elsewhere, granted):  # noqa: F811
    elsewhere.scopes = ["read", "list"]
    guard.scopes, guard.method_scopes["tools/list"] = ["read"], "list" if granted else "list never"
    if not granted:
        elsewhere.scopes += ["never"]
        elsewhere.handed_out._scopes = lambda text: [scope for scope in (text or "").split() if scope != "never"]
    alice = Person(serve(registered=False))
    alice.sign_in(alice.asked("sign_in_one", {})[0])
    assert elsewhere.asked("/authorize")[-1]["form"]["scope"] == "read"
    eventually(lambda: alice.names() == ["sign_in_one"])
    link, retry = alice.asked("sign_in_one", {})
    assert alice.sign_in(link).status == 200
    assert set(elsewhere.asked("/authorize")[-1]["form"]["scope"].split()) == {"read", "list"} | (set() if granted else {"never"})
    if granted:
        assert not alice.call("sign_in_one", {}, **retry).result.get("isError")
        eventually(lambda: "add" in alice.names())
    else:
        assert "refuses this with all that you have allowed" in alice.call("sign_in_one", {}, **retry).error["message"]
        assert len(elsewhere.asked("/authorize")) == 2


# iss-*: what the authorization response says of who made it

def answered(serve, elsewhere, iss, advertised):  # noqa: F811
    """The page that Alice sees, where the answer comes with that `iss`."""
    if not advertised:
        elsewhere.metadata_changes = {"authorization_response_iss_parameter_supported": None}
    alice = Person(serve(registered=False))
    back = alice.browser.follow(alice.agree(alice.asked("sign_in_one", {})[0]), until=alice.scene.origin).location
    parts = urllib.parse.urlsplit(back)
    query = {**dict(urllib.parse.parse_qsl(parts.query)), "iss": iss and iss.replace("ISSUER", elsewhere.issuer)}
    query = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None})
    return alice.browser.open(parts._replace(query=query).geturl())


@pytest.mark.parametrize("iss, advertised", [("ISSUER", True), (None, False), ("ISSUER", False)],
                         ids=["iss-supported", "iss-not-advertised", "sent all the same"])
def test_an_answer_of_the_server_that_was_asked_is_taken(serve, elsewhere, iss, advertised):  # noqa: F811
    assert answered(serve, elsewhere, iss, advertised).status == 200
    assert len(elsewhere.asked("/token")) == 1


@pytest.mark.parametrize("iss, advertised", [
    (None, True), ("https://evil.example", True), ("https://evil.example", False), ("ISSUER/", True), ("ISSUER:80", True), ("", True)],
    ids=["iss-supported-missing", "iss-wrong-issuer", "iss-unexpected", "iss-normalized", "another port", "empty"])
def test_an_answer_of_another_server_is_refused(serve, elsewhere, iss, advertised):  # noqa: F811
    assert answered(serve, elsewhere, iss, advertised).status == 502
    assert not elsewhere.asked("/token")
