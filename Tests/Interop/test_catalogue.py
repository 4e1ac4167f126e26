"""Prompts, resources, templates, completion and subscriptions, federated over two upstreams of either era."""

import json

import pytest
from harness.deadline import eventually
from harness.schemas import MODERN
from harness.wire import META, Wire

pytestmark = pytest.mark.gateway

LEGACY = "2025-11-25"
ERAS = [LEGACY, MODERN]
# Which SDK and transport the two upstreams are.
UPSTREAMS = {"modern": ("current", "http"), "older": ("legacy", "http"), "oldchild": ("legacy", "stdio"), "child": ("current", "stdio")}
BOTH = {"tools": ["library.*"], "prompts": ["library.*", "archive.*"], "resources": ["library.*", "archive.*"],
        "instructions": "Read before you ask."}
NOT_FOUND = {LEGACY: -32002, MODERN: -32602}


class Library:
    """A gateway over `library` and `archive`, whose virtual servers are given."""

    def __init__(self, workshop, kind, servers, **more):
        sdk, transport = UPSTREAMS[kind]
        self.library = workshop.upstream("library", sdk, transport, "library")
        self.archive = workshop.upstream("archive", sdk, transport, "archive")
        self.gateway = workshop.gateway(workshop.configuration([self.library, self.archive], servers, **more))
        eventually(lambda: all(up["state"] == "up" for up in self.gateway.ready()["upstreams"].values()), within=40, what="both are up")

    def wire(self, revision, server="team"):
        wire = Wire(self.gateway.url(server), revision)
        if revision != MODERN:
            wire.initialize()
        return wire


@pytest.fixture(params=["modern", pytest.param("older", marks=pytest.mark.quick), "oldchild", "child"])
def kind(request):
    return request.param


def introduction(library, revision, server="team"):
    wire = Wire(library.gateway.url(server), revision)
    return wire.call("server/discover").result if revision == MODERN else wire.initialize()


def test_two_upstreams_are_one_server(workshop, kind):
    library = Library(workshop, kind, {"team": BOTH})
    for revision in ERAS:
        said = introduction(library, revision)
        assert said["instructions"] == "Read before you ask.\n\nFrom library:\nFor tests only.\n\nFrom archive:\nFor tests only."
        assert said["capabilities"]["prompts"] == {"listChanged": True}
        assert said["capabilities"]["resources"] == {"subscribe": True, "listChanged": True}
        assert said["capabilities"]["completions"] == {}
        wire = library.wire(revision)

        prompts = wire.call("prompts/list").result["prompts"]
        assert [p["name"] for p in prompts] == ["library_greet", "library_summary", "archive_greet"]
        # All else is as the upstream says it.
        assert prompts[0]["icons"] and prompts[0]["_meta"] == {"example.com/n": 1} and prompts[0]["title"] == "Greeting"
        assert wire.call("prompts/get", {"name": "library_greet", "arguments": {"who": "Ada"}}).result["messages"][0]["content"]["text"] == "Greet Ada."
        assert wire.call("prompts/get", {"name": "greet"}).error["code"] == -32602

        resources = wire.call("resources/list").result["resources"]
        assert [r["uri"] for r in resources] == ["lib://shared", "lib://one", "ui://widget/view.html", "arc://two"]
        assert resources[0]["name"] == "shared" and resources[0]["annotations"] == {"audience": ["user"], "priority": 0.5}
        templates = wire.call("resources/templates/list").result["resourceTemplates"]
        assert [t["uriTemplate"] for t in templates] == ["lib://book/{id}", "arc://{+path}"]

        for uri, owner in (("lib://shared", "library"), ("arc://two", "archive"), ("lib://book/7", "library"), ("arc://a/b/c", "archive"),
                           ("ui://widget/view.html", "library")):
            result = wire.call("resources/read", {"uri": uri}).result
            assert result["contents"][0]["text"] == f"{owner}: {uri}" and result["contents"][0]["_meta"] == {"example.com/n": 1}
        # No list and no template has it, and two upstreams could; or its upstream says so.
        for uri in ("lib://book/7/8", "arc://is/missing", "nowhere://x"):
            error = wire.call("resources/read", {"uri": uri}).error
            assert (error["code"], error["message"], error["data"]) == (NOT_FOUND[revision], "Resource not found", {"uri": uri})
    assert "lib://shared" in library.gateway.process.stderr, "the log says which of the two is read"


def test_completion_goes_to_the_upstream_that_has_the_prompt_or_template(workshop, kind):
    library = Library(workshop, kind, {"team": BOTH})
    for revision in ERAS:
        wire = library.wire(revision)
        params = {"ref": {"type": "ref/prompt", "name": "library_greet"}, "argument": {"name": "how", "value": "lou"},
                  "context": {"arguments": {"who": "Ada"}}}
        assert wire.call("completion/complete", params).result["completion"]["values"] == ["library lou who=Ada"]
        assert library.library.journal.entries(event="complete")[-1]["ref"]["name"] == "greet"
        params = {"ref": {"type": "ref/resource", "uri": "arc://{+path}"}, "argument": {"name": "path", "value": "a"}}
        assert wire.call("completion/complete", params).result["completion"]["values"] == ["archive a none="]
        for ref in ({"type": "ref/prompt", "name": "greet"}, {"type": "ref/resource", "uri": "no://{id}"}, {"type": "ref/none"}):
            params = {"ref": ref, "argument": {"name": "x", "value": ""}}
            assert wire.call("completion/complete", params).error["code"] == -32602


def test_each_list_changes_by_itself(workshop, kind):
    library = Library(workshop, kind, {"team": {**BOTH, "names": "plain", "prompts": ["library.*"]}})
    modern, legacy = library.wire(MODERN), library.wire(LEGACY)
    everything = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}
    with modern.call("subscriptions/listen", {"notifications": everything}, id="all") as stream, \
            modern.call("subscriptions/listen", {"notifications": {"resourcesListChanged": True}}, id="some") as narrow, legacy.listen() as old:
        assert stream.next()["params"]["notifications"] == everything
        assert narrow.next()["params"]["notifications"] == {"resourcesListChanged": True}
        modern.call("tools/call", {"name": "add_prompt", "arguments": {"name": "later"}}).answer()
        for listening in (stream, old):
            assert listening.next()["method"] == "notifications/prompts/list_changed"
        assert "later" in [p["name"] for p in modern.call("prompts/list").result["prompts"]]
        modern.call("tools/call", {"name": "add_resource", "arguments": {"uri": "lib://later"}}).answer()
        for listening in (stream, old, narrow):
            assert listening.next()["method"] == "notifications/resources/list_changed"
        assert "lib://later" in [r["uri"] for r in modern.call("resources/list").result["resources"]]


def test_an_update_reaches_those_who_watch_and_the_upstream_is_asked_once(workshop, kind):
    library = Library(workshop, kind, {"team": {**BOTH, "names": "plain", "prompts": []}})
    journal = library.library.journal
    is_modern = library.gateway.ready()["upstreams"]["library"]["revision"] == MODERN
    one, two, modern = library.wire(LEGACY), library.wire(LEGACY), library.wire(MODERN)

    def touch(uri):
        modern.call("tools/call", {"name": "touch", "arguments": {"uri": uri}}).answer()

    with one.listen() as first, two.listen() as second, \
            modern.call("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["lib://one", "no://where"]}}, id="m") as third:
        assert third.next()["params"]["notifications"] == {"resourceSubscriptions": ["lib://one"]}
        for wire in (one, two):
            assert wire.call("resources/subscribe", {"uri": "lib://one"}).result == {}
        assert one.call("resources/subscribe", {"uri": "lib://shared"}).result == {}
        assert one.call("resources/subscribe", {"uri": "no://where"}).error["code"] == -32002
        touch("lib://one")
        for stream in (first, second, third):
            message = stream.next()
            assert (message["method"], message["params"]["uri"]) == ("notifications/resources/updated", "lib://one")
        assert message["params"]["_meta"][META + "subscriptionId"] == "m"
        # What others watch, or a part of it, which a modern SDK tells nobody of.
        part = "lib://shared" if is_modern else "lib://shared/chapter"
        touch(part)
        assert first.next()["params"]["uri"] == part
        assert two.call("resources/unsubscribe", {"uri": "lib://one"}).result == {}
        touch("lib://one")
        assert first.next()["params"]["uri"] == "lib://one" and third.next()["params"]["uri"] == "lib://one"
        if is_modern:
            assert journal.entries(event="listen")[-1]["uris"] == ["lib://one", "lib://shared"]
        else:
            assert [e["uri"] for e in journal.entries(event="subscribe")] == ["lib://one", "lib://shared"]
            assert not journal.entries(event="unsubscribe")
        assert one.call("resources/unsubscribe", {"uri": "lib://one"}).result == {}
    # The last who watched have gone.
    assert one.delete().status == 200
    if not is_modern:
        eventually(lambda: {e["uri"] for e in journal.entries(event="unsubscribe")} == {"lib://one", "lib://shared"}, what="nobody watches")


@pytest.mark.quick
def test_only_what_is_selected_is_there(workshop):
    library = Library(workshop, "modern", {
        "some": {"prompts": ["library.gr*"], "resources": ["library.lib://o*", "archive.arc://*"]}, "one": {"resources": ["library.*"]},
        "tools": {"tools": ["library.*"]}})
    wire = library.wire(MODERN, "some")
    assert [p["name"] for p in wire.call("prompts/list").result["prompts"]] == ["library_greet"]
    assert [r["uri"] for r in wire.call("resources/list").result["resources"]] == ["lib://one", "arc://two"]
    assert [t["uriTemplate"] for t in wire.call("resources/templates/list").result["resourceTemplates"]] == ["arc://{+path}"]
    for uri in ("lib://shared", "lib://book/1"):
        assert wire.call("resources/read", {"uri": uri}).error["code"] == -32602
    # What no list has is the only upstream's that can have it.
    assert library.wire(MODERN, "one").call("resources/read", {"uri": "else://where"}).result["contents"][0]["text"] == "library: else://where"
    for method in ("prompts/list", "resources/list", "completion/complete"):
        assert library.wire(MODERN, "tools").call(method).error["code"] == -32601


@pytest.mark.quick
@pytest.mark.parametrize("revision", ERAS)
def test_what_a_role_may_not_use_is_as_if_it_were_not_there(workshop, revision):
    roles = {"all": {"who": ["everyone"], "allow": ["*"], "deny": ["prompt:library_summary", "resource:lib://one", "resource:arc://secret/*"]}}
    library = Library(workshop, "modern", {"team": {**BOTH, "roles": roles}}, audit={"file": "audit.jsonl"})
    wire = library.wire(revision)
    assert [p["name"] for p in wire.call("prompts/list").result["prompts"]] == ["library_greet", "archive_greet"]
    assert [r["uri"] for r in wire.call("resources/list").result["resources"]] == ["lib://shared", "ui://widget/view.html", "arc://two"]

    def told(method, params):
        return json.loads(json.dumps(wire.call(method, params).error).replace(next(iter(params.values())), "X"))

    assert told("prompts/get", {"name": "library_summary"}) == told("prompts/get", {"name": "library_nothing"})
    unknown = told("resources/read", {"uri": "no://where"})
    for uri in ("lib://one", "arc://secret/plan", "arc://secret/missing", "arc://missing"):
        assert told("resources/read", {"uri": uri}) == unknown
    assert wire.call("resources/read", {"uri": "arc://open"}).result["contents"]
    assert not library.library.journal.entries(uri="lib://one") and not library.archive.journal.entries(uri="arc://secret/plan")
    if revision == LEGACY:
        assert wire.call("resources/subscribe", {"uri": "lib://one"}).error["code"] == -32002

    def outcomes():
        lines = (library.gateway.configuration.folder / "audit.jsonl").read_text().splitlines()
        return {(e.get("prompt") or e.get("resource"), e["outcome"], e.get("upstream")) for e in map(json.loads, lines)}

    eventually(lambda: outcomes() >= {
        ("library_summary", "denied", "library"), ("library_nothing", "unknown_prompt", None), ("no://where", "unknown_resource", None),
        ("arc://secret/plan", "denied", "archive"), ("arc://open", "allowed", "archive")}, what="the audit has all of it")


@pytest.mark.quick
@pytest.mark.parametrize("kind", ["modern", "older"])
def test_caching_is_told_as_far_as_it_is_known(workshop, kind):
    library = Library(workshop, kind, {"open": {**BOTH, "access": "everyone"},
                                       "roles": {**BOTH, "roles": {"some": {"who": ["user:a"], "allow": ["*"]}}}})
    wire = library.wire(MODERN, "open")
    for method in ("prompts/list", "resources/list", "resources/templates/list", "tools/list"):
        result = wire.call(method).result
        # These upstreams announce changes; the modern one says that its lists are for the gateway only.
        assert (result["ttlMs"], result["cacheScope"]) == (60_000, "private" if kind == "modern" else "public"), method
        assert library.wire(MODERN, "roles").call(method).result["cacheScope"] == "private"
    read = wire.call("resources/read", {"uri": "lib://one"}).result
    assert (read["ttlMs"], read["cacheScope"]) == (0, "private")


def test_what_is_good_for_a_short_time_is_read_again_when_somebody_lists(workshop):
    # It announces no changes and says that its list may not be kept.
    raw, gateway = workshop.serve_raw(tools='[{"name":"now","inputSchema":{"type":"object"}}]')
    wire = Wire(gateway.url("team"))

    def names():
        return [tool["name"] for tool in wire.call("tools/list").result["tools"]]

    eventually(lambda: names() == ["now"])
    raw.tools = '[{"name":"later","inputSchema":{"type":"object"}}]'
    eventually(lambda: names() == ["later"], what="long before the five minutes")


@pytest.mark.quick
def test_check_finds_what_selects_nothing(workshop):
    library = workshop.upstream("library", kind="library")
    archive = workshop.upstream("archive", kind="archive")
    configuration = workshop.configuration([library, archive], {"team": {"prompts": ["library.greet", "library.sumary"], "resources": [
        "library.*", "archive.*", "archive.none://*"]}})
    done = configuration.run("check", "--connect")
    assert done.returncode == 1
    assert 'no prompt of upstream "library" matches "sumary"; did you mean "library.summary"?' in done.stdout
    assert 'no resource of upstream "archive" matches "none://*"' in done.stdout
    assert 'warning: ' in done.stderr and "lib://shared" in done.stderr
    configuration.write_server("team", {"prompts": ["libary.*"], "resources": ["archiv.*"]})
    done = configuration.run("check")
    assert 'did you mean "library"' in done.stdout and 'did you mean "archive"' in done.stdout


@pytest.mark.quick
def test_tools_and_explain_know_prompts_and_resources(workshop):
    roles = {"all": {"who": ["everyone"], "allow": ["*"], "deny": ["prompt:library_summary", "resource:lib://one", "resource:arc://secret/*"]}}
    library = workshop.upstream("library", kind="library")
    archive = workshop.upstream("archive", kind="archive")
    configuration = workshop.configuration([library, archive], {"team": {**BOTH, "roles": roles}, "tools": {"tools": ["library.*"]}})

    shown = configuration.run("tools", "--server", "team").stdout.splitlines()
    bare = configuration.run("tools", "--server", "tools").stdout.splitlines()
    assert shown[:len(bare)] == bare and not [line for line in bare if ":" in line.split("(")[0]]
    rest = [line.split("  — ")[0] for line in shown[len(bare):]]
    assert rest == ["prompt:library_greet(who, how?)", "prompt:archive_greet()", "resource:lib://shared", "resource:ui://widget/view.html",
                    "resource:arc://two", "resource:lib://book/{id}", "resource:arc://{+path}"]
    listed = json.loads(configuration.run("tools", "--server", "team", "--json").stdout)
    assert [item.get("kind") for item in listed[len(bare):]] == ["prompt"] * 2 + ["resource"] * 3 + ["template"] * 2
    assert not [tool for tool in listed[:len(bare)] if "kind" in tool]

    for what, allowed, rule in (
            ("prompt:library_greet", True, "*"), ("prompt:library_summary", False, "prompt:library_summary"), ("prompt:nothing", False, None),
            ("resource:lib://shared", True, "*"), ("resource:lib://one", False, "resource:lib://one"), ("resource:lib://book/7", True, "*"),
            ("resource:arc://secret/plan", False, "resource:arc://secret/*"), ("resource:arc://open", True, "*"), ("resource:no://where", False, None)):
        done = configuration.run("explain", "--server", "team", "--as", "user:a", what)
        assert done.returncode == (0 if allowed else 1), done.stdout + done.stderr
        assert done.stdout.splitlines()[0] == f"{'ALLOWED' if allowed else 'REFUSED'}: {what} of team for user:a"
        told = json.loads(configuration.run("explain", "--server", "team", "--as", "user:a", what, "--json").stdout)
        kind, name = what.split(":", 1)
        assert told[kind] == name and (told["rule"] or {}).get("text") == rule and "tool" not in told
        assert told["listed"] == (what in ("prompt:library_greet", "resource:lib://shared"))
