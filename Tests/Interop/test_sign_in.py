"""Users sign in to an upstream: asked for in every era, agreed to in a browser, kept, renewed; and what must not get through."""

import json
import threading
import time
import urllib.parse

import pytest
from harness.authority import AuthorizationServer
from harness.authority_browser import Browser
from harness.authority_guard import Guard
from harness.authority_scene import BearerWire, scene
from harness.deadline import eventually
from harness.upstream import Upstream, running
from harness.wire import meta

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

    def start(registered=True, catalog=None, **oauth):
        # The address is known only once the gateway has a port, so the client is registered afterwards.
        if registered:
            oauth |= {"client_id": "switchboard", "client_secret": "${env:SECRET}"}
        settings = {"one": upstream.settings(credential={"oauth": {"grant": "authorization_code", **oauth}}, url=guard.url)}
        if catalog:
            settings["one"]["catalog"] = catalog
        context = scene(tmp_path, upstream, settings=settings, environment={"SECRET": SECRET})
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
    assert alice.call().result["structuredContent"]["result"] == 3 if "structuredContent" in alice.call().result else True
    assert guard.claims()["sub"] == ALICE
    asked = elsewhere.asked("/authorize")[0]["form"]
    assert asked["resource"] == guard.url and asked["code_challenge_method"] == "S256"
