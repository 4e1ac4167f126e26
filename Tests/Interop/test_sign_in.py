"""Users sign in to an upstream: asked for in every era, agreed to in a browser, kept, renewed; and what must not get through."""

import contextlib
import os
import pty
import re
import subprocess
import threading
import urllib.parse

import pytest
from harness import schemas
from harness.authority import AuthorizationServer
from harness.authority_browser import Browser
from harness.authority_guard import Guard
from harness.authority_scene import BearerWire, scene
from harness.deadline import eventually
from harness.gateway import BINARY, Configuration, Gateway
from harness.upstream import Upstream, running
from harness.wire import Wire, meta
from test_stdio import Pipe

pytestmark = pytest.mark.gateway

ALICE, BOB = "alice@example.com", "bob@example.com"
LINKS = {"elicitation": {"form": {}, "url": {}}}
SECRET = "s3cret-of-the-gateway"


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    one = Upstream(tmp_path_factory.mktemp("sign-in"), "one", "current", "http")
    with running(one):
        yield one


@pytest.fixture
def elsewhere():
    with AuthorizationServer() as authority:
        authority.default_scopes = ()
        yield authority


@pytest.fixture
def guard(upstream, elsewhere):
    with Guard(upstream.url, elsewhere) as one:
        yield one


@pytest.fixture
def serve(tmp_path, upstream, guard, elsewhere):
    opened = []

    def start(registered=True, catalog=None, servers=None, others=None, audit=None, **oauth):
        # The address is known only once the gateway has a port, so the client is registered afterwards.
        if registered:
            oauth |= {"client_id": "switchboard", "client_secret": "${env:SECRET}"}
        settings = {"one": upstream.settings(credential={"oauth": {"grant": "authorization_code", **oauth}}, url=guard.url)}
        if catalog:
            settings["one"]["catalog"] = catalog
        more = {"audit": audit} if audit else {}
        context = scene(tmp_path, upstream, settings={**settings, **(others or {})}, servers=servers, environment={"SECRET": SECRET}, **more)
        opened.append(context)
        made = context.__enter__()
        if registered:
            elsewhere.clients.add("switchboard", secret=SECRET, redirect_uris=[made.origin + "/oauth/callback"])
        return made

    yield start
    for context in reversed(opened):
        context.__exit__(None, None, None)


class Person:
    """Somebody with an agent and a browser."""

    def __init__(self, scene, user=ALICE, capabilities=LINKS):
        self.scene, self.user, self.capabilities = scene, user, capabilities
        self.browser = Browser(user)

    def call(self, tool="add", arguments=None, **more):
        params = {"name": tool, "arguments": {"a": 1, "b": 2} if arguments is None else arguments, **more, "_meta": meta(capabilities=self.capabilities)}
        return self.scene.wire(self.scene.token(self.user)).call("tools/call", params)

    def names(self):
        return self.scene.names(self.user)

    def asked(self, *arguments, **more):
        """The link, and what the retry brings back."""
        result = self.call(*arguments, **more).result
        assert result["resultType"] == "input_required", result
        (key, question), = result["inputRequests"].items()
        assert question["method"] == "elicitation/create" and question["params"]["mode"] == "url"
        return question["params"]["url"], {"requestState": result["requestState"], "inputResponses": {key: {"action": "accept"}}}

    def agree(self, link):
        """Opens the link and presses the button: the redirect to the authorization server."""
        page = self.browser.open(link)
        assert page.status == 200, page.text
        return self.browser.submit(page)

    def sign_in(self, link):
        page = self.agree(link)
        assert page.status == 303, page.text
        page = self.browser.follow(page)
        return page


def legacy(scene, revision, capabilities, user=ALICE):
    wire = BearerWire(scene.gateway.url("team"), scene.token(user), revision=revision)
    wire.initialize(capabilities=capabilities)
    return wire


def test_a_modern_client_gets_a_link_and_its_retry_works(serve, guard, elsewhere):
    alice = Person(serve())
    link, retry = alice.asked("sign_in_one", {})
    assert link.startswith(alice.scene.origin + "/oauth/sign-in/")
    page = alice.sign_in(link)
    assert page.status == 200 and "signed in" in page.text
    done = alice.call("sign_in_one", {}, **retry).result
    assert done["resultType"] == "complete" and not done.get("isError")
    eventually(lambda: "add" in alice.names())
    assert alice.call().result["content"][0]["text"] == "3"
    assert guard.claims()["sub"] == ALICE
    asked = elsewhere.asked("/authorize")[0]["form"]
    assert asked["resource"] == guard.url and asked["code_challenge_method"] == "S256"


def test_a_retry_waits_for_the_person_who_is_still_in_the_browser(serve):
    alice = Person(serve())
    link, retry = alice.asked("sign_in_one", {})
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(alice.call("sign_in_one", {}, **retry).result))
    waiting.start()
    alice.sign_in(link)
    waiting.join(15)
    assert answers and answers[0]["resultType"] == "complete", answers


def test_known_tools_are_listed_and_called_by_those_who_sign_in_later(serve, guard):
    alice, bob = Person(serve()), None
    alice.sign_in(alice.asked("sign_in_one", {})[0])
    eventually(lambda: "add" in alice.names())
    bob = Person(alice.scene, BOB)
    eventually(lambda: "add" in bob.names())
    link, retry = bob.asked()
    bob.sign_in(link)
    assert bob.call(**retry).result["content"][0]["text"] == "3"
    assert guard.claims()["sub"] == BOB


def test_a_user_who_says_no_is_not_asked_again_by_the_retry(serve):
    alice = Person(serve())
    _, retry = alice.asked("sign_in_one", {})
    key, = retry["inputResponses"]
    retry["inputResponses"][key] = {"action": "decline"}
    result = alice.call("sign_in_one", {}, **retry).result
    assert result["isError"] and "chose not to" in result["content"][0]["text"]


def test_2025_11_25_gets_its_error_with_the_link(serve):
    alice = Person(serve())
    wire = legacy(alice.scene, "2025-11-25", {"elicitation": {"url": {}}})
    error = wire.call("tools/call", {"name": "sign_in_one", "arguments": {}}).error
    assert error["code"] == -32042
    elicitation, = error["data"]["elicitations"]
    assert elicitation["mode"] == "url" and elicitation["elicitationId"] and elicitation["elicitationId"] not in elicitation["url"]
    assert alice.sign_in(elicitation["url"]).status == 200
    eventually(lambda: "add" in alice.names())


@pytest.mark.parametrize("revision, capabilities", [
    ("2025-11-25", {"elicitation": {}}), ("2025-06-18", {"elicitation": {}}), ("2025-03-26", {}), ("2024-11-05", {})])
def test_clients_that_open_no_links_get_one_in_the_text(serve, revision, capabilities):
    alice = Person(serve())
    wire = legacy(alice.scene, revision, capabilities)
    result = wire.call("tools/call", {"name": "sign_in_one", "arguments": {}}).result
    assert result["isError"] and ALICE in result["content"][0]["text"]
    link = next(word for word in result["content"][0]["text"].split() if word.startswith("http"))
    assert alice.sign_in(link).status == 200


def test_a_modern_client_that_declares_nothing_gets_the_text(serve):
    alice = Person(serve(), capabilities={"elicitation": {}})
    result = alice.call("sign_in_one", {}).result
    assert result["resultType"] == "complete" and result["isError"] and "/oauth/sign-in/" in result["content"][0]["text"]


def test_the_list_changes_after_the_sign_in(serve):
    alice = Person(serve())
    assert alice.names() == ["sign_in_one"]
    wire = alice.scene.wire(alice.scene.token(ALICE))
    stream = wire.call("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
    stream.until(lambda m: m.get("method", "").endswith("acknowledged"))
    alice.sign_in(alice.asked("sign_in_one", {})[0])
    stream.until(lambda m: m.get("method") == "notifications/tools/list_changed")
    stream.close()
    assert "add" in alice.names()


def test_the_gateway_registers_once_where_nobody_registered_it(serve, elsewhere):
    elsewhere.clients.metadata_documents = False
    scene = serve(registered=False)
    for user in (ALICE, BOB):
        person = Person(scene, user)
        assert person.sign_in(person.asked("sign_in_one" if user == ALICE else "add", {} if user == ALICE else None)[0]).status == 200
        eventually(lambda: "add" in person.names())
    registration, = elsewhere.asked("/register")
    assert registration["form"]["application_type"] == "native"


def test_a_token_is_renewed_and_the_new_refresh_token_survives_a_restart(serve, guard, elsewhere):
    elsewhere.lifetime = 8
    alice = Person(serve())
    alice.sign_in(alice.asked("sign_in_one", {})[0])
    eventually(lambda: "add" in alice.names())
    eventually(lambda: (alice.call().result, elsewhere.asked("/token", grant_type="refresh_token"))[1])
    alice.scene.gateway.stop()
    alice.scene.gateway.start(alice.scene.port)
    eventually(lambda: "add" in alice.names())
    assert alice.call().result["content"][0]["text"] == "3"
    assert len(elsewhere.asked("/authorize")) == 1


def test_a_grant_that_was_taken_back_asks_anew(serve, guard, elsewhere):
    alice = Person(serve())
    alice.sign_in(alice.asked("sign_in_one", {})[0])
    eventually(lambda: "add" in alice.names())
    elsewhere.handed_out.__init__(elsewhere)
    guard.refuse(1)
    link, retry = alice.asked()
    alice.sign_in(link)
    assert alice.call(**retry).result["content"][0]["text"] == "3"


def test_a_scope_that_is_missing_is_asked_for_together_with_the_others(serve, guard, elsewhere):
    alice = Person(serve(scopes=["mcp"]))
    guard.tool_scopes["add"] = "admin"
    alice.sign_in(alice.asked("sign_in_one", {})[0])
    eventually(lambda: "add" in alice.names())
    link, retry = alice.asked()
    alice.sign_in(link)
    assert elsewhere.asked("/authorize")[-1]["form"]["scope"] == "mcp admin"
    assert alice.call(**retry).result["content"][0]["text"] == "3"


def test_over_stdio_a_listener_on_loopback_is_open_for_the_sign_in(tmp_path, upstream, guard, elsewhere):
    elsewhere.clients.metadata_documents = False
    settings = {"one": upstream.settings(credential={"oauth": {"grant": "authorization_code"}}, url=guard.url)}
    configuration = Configuration(tmp_path, settings, {"team": {"names": "plain", "tools": ["one.*"]}})
    with contextlib.closing(Pipe(configuration, "team", schemas.MODERN)) as pipe:
        def call(id, name, arguments, **more):
            return pipe.ask("tools/call", {"name": name, "arguments": arguments, **more, "_meta": meta(capabilities=LINKS)}, id)["result"]

        question = call(1, "sign_in_one", {})
        (key, asked), = question["inputRequests"].items()
        link = asked["params"]["url"]
        assert link.startswith("http://127.0.0.1:")
        browser = Browser(ALICE)
        assert browser.open(link, headers={"Host": "evil.example"}).status == 404
        page = browser.follow(browser.submit(browser.open(link)))
        assert page.status == 200, page.text
        retry = {"requestState": question["requestState"], "inputResponses": {key: {"action": "accept"}}}
        assert not call(2, "sign_in_one", {}, **retry).get("isError")
        eventually(lambda: "isError" not in call(3, "add", {"a": 1, "b": 2}))


def test_anonymous_callers_cannot_sign_in(tmp_path, upstream, guard):
    settings = {"one": upstream.settings(credential={"oauth": {"grant": "authorization_code"}}, url=guard.url)}
    configuration = Configuration(tmp_path, settings, {"team": {"names": "plain", "tools": ["one.*"]}})
    gateway = Gateway(configuration)
    gateway.start()
    with gateway:
        wire = Wire(gateway.url("team"))
        assert wire.call("tools/list").result["tools"] == []
        assert "error" in wire.call("tools/call", {"name": "add", "arguments": {}, "_meta": meta(capabilities=LINKS)}).answer()


# Attacks


def test_the_page_names_who_gets_what_and_has_no_script(serve, elsewhere):
    mallory = "<script>alert(1)</script>\u202e@example.com"
    person = Person(serve(scopes=["mcp"]), mallory)
    page = person.browser.open(person.asked("sign_in_one", {})[0])
    assert "<script" not in page.text and "&lt;script&gt;" in page.text and "\u202e" not in page.text
    assert elsewhere.origin in page.text and "mcp" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert page.headers["x-frame-options"] == "DENY" and page.headers["referrer-policy"] == "no-referrer" and page.headers["cache-control"] == "no-store"


def test_a_link_works_once(serve):
    alice = Person(serve())
    link, _ = alice.asked("sign_in_one", {})
    page = alice.browser.open(link)
    assert alice.browser.submit(page).status == 303
    assert alice.browser.submit(page).status == 410
    assert alice.browser.open(link).status == 410
    assert alice.browser.open(link[:-1] + ("A" if link[-1] != "A" else "B")).status == 410


def test_another_site_cannot_agree_in_somebodys_name(serve):
    alice = Person(serve())
    link, _ = alice.asked("sign_in_one", {})
    page = alice.browser.open(link)
    fields = page.forms[0]["fields"]
    assert alice.browser.open(link, "POST", {"token": "x"}).status == 403
    assert alice.browser.open(link, "POST", fields, {"Origin": "https://evil.example"}).status == 403
    assert alice.browser.open(link, "POST", fields, {"Sec-Fetch-Site": "cross-site"}).status == 403
    assert Browser().open(link, "POST", fields).status == 403
    assert alice.browser.open(link, "POST", fields, {"Origin": "null", "Sec-Fetch-Site": "same-origin"}).status == 303


def test_who_comes_back_must_be_who_was_sent(serve, elsewhere):
    alice = Person(serve())
    back = alice.browser.follow(alice.agree(alice.asked("sign_in_one", {})[0]), until=alice.scene.origin).location
    assert Browser(BOB).open(back).status == 403
    assert not elsewhere.asked("/token")
    assert alice.browser.open(back).status == 200
    assert alice.browser.open(back).status == 400, "a state works once"


@pytest.mark.parametrize("change", [
    {"iss": "https://evil.example"}, {"iss": None}, {"code": None}, {"error": "server_error", "error_description": "<b>x</b>"}])
def test_a_wrong_answer_ends_the_sign_in(serve, elsewhere, change):
    alice = Person(serve())
    back = alice.browser.follow(alice.agree(alice.asked("sign_in_one", {})[0]), until=alice.scene.origin).location
    parts = urllib.parse.urlsplit(back)
    query = {k: v for k, v in {**dict(urllib.parse.parse_qsl(parts.query)), **change}.items() if v is not None}
    page = alice.browser.open(parts._replace(query=urllib.parse.urlencode(query)).geturl())
    assert page.status == 502 and "<b>" not in page.text
    assert alice.browser.open(back).status == 400
    assert not elsewhere.asked("/token")


def test_a_parameter_that_stands_twice_is_refused(serve, elsewhere):
    alice = Person(serve())
    back = alice.browser.follow(alice.agree(alice.asked("sign_in_one", {})[0]), until=alice.scene.origin).location
    assert alice.browser.open(back + "&code=other").status == 400
    assert not elsewhere.asked("/token")


def test_a_request_state_is_good_for_its_own_call_only(serve):
    alice = Person(serve())
    _, retry = alice.asked("sign_in_one", {})
    bob = Person(alice.scene, BOB)
    for answer in (bob.call("sign_in_one", {}, **retry), alice.call("sign_in_one", {"x": 1}, **retry), alice.call("other", {}, **retry),
                   alice.call("sign_in_one", {}, **{**retry, "requestState": retry["requestState"][:-2] + "AA"})):
        assert answer.error["code"] == -32602


def test_tokens_of_one_user_are_never_used_for_another(serve, guard):
    alice = Person(serve())
    alice.sign_in(alice.asked("sign_in_one", {})[0])
    eventually(lambda: "add" in alice.names())
    count = len(guard.tokens)
    Person(alice.scene, BOB).asked()
    assert len(guard.tokens) == count


@pytest.mark.parametrize("changes", [
    {"code_challenge_methods_supported": None}, {"code_challenge_methods_supported": ["plain"]}, {"issuer": "https://evil.example"},
    {"authorization_endpoint": "javascript:alert(1)"}, {"authorization_endpoint": "http://evil.example/authorize"}, {"token_endpoint": None}])
def test_a_server_that_cannot_be_trusted_is_not_signed_in_to(serve, elsewhere, changes):
    elsewhere.metadata_changes = changes
    alice = Person(serve())
    error = alice.call("sign_in_one", {}).error
    assert "not possible at present" in error["message"] and "evil" not in error["message"]


def test_metadata_of_another_resource_is_refused(serve, guard):
    guard.metadata_changes = {"resource": "https://victim.example/mcp"}
    alice = Person(serve())
    assert "not possible at present" in alice.call("sign_in_one", {}).error["message"]


def test_who_never_signed_in_gets_a_link_also_where_the_tools_are_known(serve):
    alice = Person(serve())
    alice.sign_in(alice.asked("sign_in_one", {})[0])
    eventually(lambda: "add" in alice.names())
    bob = Person(alice.scene, BOB)
    eventually(lambda: "add" in bob.names())
    link, retry = bob.asked("sign_in_one", {})
    bob.sign_in(link)
    assert "is signed in" in bob.call("sign_in_one", {}, **retry).result["content"][0]["text"]


@pytest.mark.parametrize("tools", [["one.add", "two.*"], ["one.*", "two.*"]])
def test_who_may_use_nothing_of_an_upstream_is_not_asked_to_sign_in(serve, upstream, tools):
    roles = {"a": {"who": [f"user:{ALICE}"], "allow": ["*"]}, "b": {"who": [f"user:{BOB}"], "allow": ["two_*"]}}
    scene = serve(servers={"team": {"tools": tools, "roles": roles}}, others={"two": upstream.settings()})
    alice, bob = Person(scene), Person(scene, BOB)

    def unknown():
        assert "sign_in_one" not in bob.names()
        assert bob.call("sign_in_one", {}).error["code"] == -32602

    unknown()
    alice.sign_in(alice.asked("sign_in_one", {})[0])
    eventually(lambda: "one_add" in alice.names())
    unknown()


def test_the_audit_has_the_sign_in_and_the_calls_that_wait_for_it(serve):
    scene = serve(servers={"team": {"names": "plain", "tools": ["one.*"], "new_tools": "show", "roles": {"r": {
        "who": [f"user:{ALICE}"], "allow": ["add"]}}}}, audit={"file": "audit.jsonl"}, scopes=["read"])
    alice = Person(scene)
    alice.asked("add")
    link, retry = alice.asked("sign_in_one", {})
    alice.sign_in(link)
    eventually(lambda: "add" in alice.names())
    alice.call("sign_in_one", {}, **retry)
    eventually(lambda: len(scene.audit()) == 4)
    add, asked, signed_in, told = scene.audit()
    assert (add["outcome"], add["error"], add["upstream"], add["rule"], add["role"]) == ("failed", "sign_in", "one", "add", "r")
    for event in (asked, told):
        assert (event["outcome"], event["upstream"], event["tool"]) == ("allowed", "one", "sign_in_one") and "error" not in event
    assert (signed_in["outcome"], signed_in["user"], signed_in["upstream"], signed_in["scopes"], signed_in["transport"]) == (
        "signed_in", ALICE, "one", ["read"], "browser")
    assert "tool" not in signed_in and "token" not in str({**signed_in, "proof": ""})


def test_explain_judges_by_the_rules_what_only_users_see(serve):
    scene = serve(servers={"team": {"names": "plain", "tools": ["one.*"], "roles": {"r": {
        "who": [f"user:{ALICE}"], "allow": ["add"]}, "c": {"who": [f"user:{BOB}"], "allow": ["@read"]}}}})

    def explain(user, tool):
        return scene.configuration.run("explain", "--server", "team", "--as", f"user:{user}", tool)

    allowed = explain(ALICE, "add")
    assert allowed.returncode == 0 and allowed.stdout.startswith("ALLOWED") and "in the role r" in allowed.stdout
    assert "note: the tools of one are not known here: the caller has not signed in to one yet" in allowed.stdout
    refused = explain(ALICE, "echo")
    assert refused.returncode == 1 and refused.stdout.startswith("REFUSED") and "no rule allows it" in refused.stdout
    unknown = explain(BOB, "add")
    assert unknown.returncode == 1 and unknown.stdout.startswith("NOT KNOWN") and "@destructive" in unknown.stdout
    assert explain(ALICE, "sign_in_one").returncode == 0
    assert explain("carl", "sign_in_one").returncode == 1


def test_the_command_line_waits_at_a_terminal_until_its_user_has_signed_in(serve, guard):
    scene = serve(registered=False)
    without = scene.configuration.run("call", "--server", "team", "add", '{"a":1,"b":2}')
    assert without.returncode == 1 and "Run this in a terminal" in without.stderr and "http" not in without.stderr
    ours, theirs = pty.openpty()
    command = [BINARY, "call", "--config", str(scene.configuration.path), "--server", "team", "add", '{"a":1,"b":2}']
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, **scene.configuration.environment})
    try:
        os.close(theirs)
        said = ""
        while not (found := re.search(r"http://127\.0\.0\.1:\S+(?=\s)", said)):
            said += os.read(ours, 4096).decode()
        alice = Person(scene)
        assert alice.sign_in(found[0]).status == 200
        out, _ = child.communicate(timeout=20)
        assert (child.returncode, out) == (0, b"3\n"), said
    finally:
        child.kill()
        os.close(ours)
