"""Scenarios resources-*, sep-2164-resource-not-found and caching."""

from harness.schemas import MODERN

from .registry import LEGACY, scenario

NEEDS = "prompts_and_resources"
WATCHED = {"uri": "test://watched-resource"}


@scenario("resources-list", needs=NEEDS)
def resources_list(case):
    resources = case.peer.ask("resources/list").result["resources"]
    assert isinstance(resources, list) and resources
    for resource in resources:
        assert resource["uri"] and resource["name"], resource
        assert "{" not in resource["uri"], "a template is listed elsewhere"


def read(case, uri):
    contents = case.peer.ask("resources/read", {"uri": uri}).result["contents"]
    assert isinstance(contents, list) and contents
    assert contents[0]["uri"] == uri
    return contents[0]


@scenario("resources-read-text", needs=NEEDS)
def text(case):
    content = read(case, "test://static-text")
    assert content["mimeType"] == "text/plain" and content["text"]


@scenario("resources-read-binary", needs=NEEDS)
def binary(case):
    content = read(case, "test://static-binary")
    assert content["mimeType"] == "image/png" and content["blob"]


@scenario("resources-templates-read", needs=NEEDS)
def template(case):
    templates = case.peer.ask("resources/templates/list").result["resourceTemplates"]
    assert "test://template/{id}/data" in [template["uriTemplate"] for template in templates]
    assert "123" in read(case, "test://template/123/data")["text"]


@scenario("resources-subscribe", [LEGACY], needs=NEEDS)
def subscribe(case):
    assert case.peer.opening["capabilities"]["resources"]["subscribe"] is True
    assert case.peer.ask("resources/subscribe", WATCHED).result == {}


@scenario("resources-unsubscribe", [LEGACY], needs=NEEDS)
def unsubscribe(case):
    assert case.peer.ask("resources/subscribe", WATCHED).result == {}
    assert case.peer.ask("resources/unsubscribe", WATCHED).result == {}


@scenario("sep-2164-resource-not-found", [MODERN], needs=NEEDS)
def not_found(case):
    """A legacy upstream says −32002, which a modern client does not know; what only the suite recommends is asked for here."""
    uri = "test://nonexistent-resource-for-conformance-testing"
    answer = case.peer.ask("resources/read", {"uri": uri})
    assert answer.error["code"] == -32602
    assert answer.error["data"]["uri"] == uri


@scenario("caching", [MODERN], needs=NEEDS)
def caching(case):
    """A legacy upstream gives no hints: they are the gateway's own then."""
    results = {method: case.peer.ask(method).result for method in ("tools/list", "prompts/list", "resources/list", "resources/templates/list")}
    uri = results["resources/list"]["resources"][0]["uri"]
    results["resources/read"] = case.peer.ask("resources/read", {"uri": uri}).result
    for method, result in results.items():
        ttl = result["ttlMs"]
        assert isinstance(ttl, int) and not isinstance(ttl, bool) and ttl >= 0, method
        assert result["cacheScope"] in ("public", "private"), method
