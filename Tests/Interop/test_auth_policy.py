"""What a caller may not do: by whatever name, form or way it is tried, nothing reaches the upstream."""

import json

import pytest
from harness.authority_scene import scene
from harness.upstream import Upstream, running
from harness.wire import header_value, meta

pytestmark = [pytest.mark.gateway, pytest.mark.quick]

ALICE, BOB, ROOT = "alice@example.com", "bob@example.com", "root@example.com"

SERVERS = {
    # Everything is shown to somebody here, so that only the roles decide.
    "team": {
        "names": "plain", "tools": ["one.*"], "new_tools": "show", "access": None,
        "roles": {
            "engineer": {
                "who": ["group:engineers"],
                "allow": ["echo", "whoami", "open_pull(base=main|develop)", "query(region!=cn)", "add"],
                "deny": ["add(a=13)", "open_pull(repo=acme/*,draft=false)"]},
            "admin": {"who": ["group:admins"], "allow": ["*"]},
            "sales": {"who": [f"user:{BOB}"], "allow": ["unicode", "echo(text=a|b)"]},
        }},
    "prefixed": {"tools": ["one.*"], "new_tools": "show", "access": None,
                 "roles": {"engineer": {"who": ["group:engineers"], "allow": ["one_echo"]}}},
    "foreign": {"names": "plain", "tools": ["one.*"], "new_tools": "show", "access": None,
                "roles": {"sales": {"who": [f"user:{BOB}"], "allow": ["*"]}}},
}
POLICY = [
    {"deny": "one.crash", "reason": "Nobody may."},
    {"deny": "one.add_tool", "unless": ["group:admins"]},
]
PULL = {"repo": "acme/web", "base": "main", "token": "t", "draft": True}


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    one = Upstream(tmp_path_factory.mktemp("policy"), "one", "current", "http")
    servers = {name: json.dumps({k: v for k, v in server.items() if v is not None}) for name, server in SERVERS.items()}
    with running(one), scene(tmp_path_factory.mktemp("team"), one, servers=servers, policy=POLICY) as running_scene:
        yield running_scene


def calls(team):
    return len(team.upstream.journal.entries(event="call"))


def refused(team, make):
    """Asserts that the call is refused, in whatever way, and that the upstream hears nothing of it."""
    before = calls(team)
    reply = make()
    message = reply.messages[-1] if reply.messages else {}
    assert reply.status >= 400 or "error" in message or message.get("result", {}).get("isError"), (reply.status, reply.body)
    assert calls(team) == before
    return reply


def test_the_list_shows_what_the_roles_allow_and_nothing_else(team):
    assert set(team.names(ALICE)) == {"echo", "whoami", "open_pull", "query", "add"}
    assert set(team.names(BOB)) == {"echo", "unicode"}
    assert "crash" not in team.names(ROOT) and {"add_tool", "release", "echo"} <= set(team.names(ROOT))
    assert team.names("nobody@example.com") == []


def test_what_is_listed_can_be_called_and_what_is_not_listed_can_not(team):
    for user in (ALICE, BOB, ROOT):
        listed = set(team.names(user))
        for tool in ("echo", "unicode", "add", "release", "fail", "slow", "remove_tool", "crash"):
            reply = team.call(tool, {"text": "a", "a": 1, "b": 1, "gate": "g", "message": "m", "name": "none"}, user)
            assert ("result" in reply.answer()) == (tool in listed), (user, tool)


@pytest.mark.parametrize("name", [
    "one.unicode", "one_unicode", "Unicode", "UNICODE", "unicode ", " unicode", "unicode\0", "uni\u200bcode", "unicode\n",
    "ｕｎｉｃｏｄｅ", "unicоde", "unicode/", "../unicode", "team.unicode", "foreign_unicode", "uni*", "*", "@read", "", "unicode()"])
def test_a_forbidden_tool_has_no_other_name(team, name):
    refused(team, lambda: team.call(name, {"text": "x"}, ALICE))


def test_a_refusal_is_word_for_word_that_of_a_tool_that_does_not_exist(team):
    answers = []
    for name in ("unicode", "crash", "nothing"):
        reply = refused(team, lambda: team.call(name, {"text": "x"}, ALICE))
        answers.append((reply.status, json.dumps(reply.error).replace(name, "TOOL"), sorted(reply.headers)))
    assert answers[0] == answers[1] == answers[2] and json.loads(answers[0][1])["code"] == -32602


def test_legacy_sessions_are_judged_the_same(team):
    for revision in ("2025-03-26", "2025-06-18", "2025-11-25"):
        wire = team.wire(team.token(ALICE), revision=revision)
        wire.initialize()
        assert {t["name"] for t in wire.call("tools/list").result["tools"]} == {"echo", "whoami", "open_pull", "query", "add"}
        reply = refused(team, lambda: wire.call("tools/call", {"name": "unicode", "arguments": {}}))
        assert reply.error["code"] == -32602


def test_another_virtual_server_is_no_way_around(team):
    refused(team, lambda: team.call("unicode", {}, ALICE, server="foreign"))
    refused(team, lambda: team.call("one_unicode", {}, ALICE, server="prefixed"))
    refused(team, lambda: team.call("echo", {"text": "x"}, ALICE, server="prefixed"))
    assert team.names(ALICE, "foreign") == [] and team.names(ALICE, "prefixed") == ["one_echo"]
    # Nor a session that was opened where more is allowed.
    wire = team.wire(team.token(BOB), "foreign", revision="2025-11-25")
    wire.initialize()
    other = team.wire(team.token(BOB), "team", revision="2025-11-25")
    other.session = wire.session
    assert other.call("tools/call", {"name": "add", "arguments": {"a": 1, "b": 1}}).status == 404


def test_a_forbidden_call_in_a_batch_is_refused_and_the_others_are_not(team):
    wire = team.wire(team.token(ALICE), revision="2025-03-26")
    wire.initialize()
    before = calls(team)
    batch = [{"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {"name": name, "arguments": {"text": "x"}}}
             for n, name in enumerate(["echo", "unicode", "crash"])]
    reply = wire.send("POST", batch, {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                                      "Mcp-Session-Id": wire.session})
    if reply.is_stream:
        answers = {}
        while len(answers) < 3:
            message = json.loads(reply.event()[1])
            answers |= {one["id"]: one for one in (message if isinstance(message, list) else [message])}
        reply.close()
    else:
        answers = {one["id"]: one for one in json.loads(reply.body)}
    assert "result" in answers[0] and answers[1]["error"]["code"] == answers[2]["error"]["code"] == -32602
    assert calls(team) == before + 1


# Conditions on arguments

@pytest.mark.parametrize("arguments", [
    {"base": "main"}, {"base": "develop"}, {"repo": "other/web", "draft": False}])
def test_a_condition_lets_its_values_pass(team, arguments):
    assert team.call("open_pull", {**PULL, **arguments}).result["structuredContent"]


@pytest.mark.parametrize("base", [
    "prod", "Main", "MAIN", " main", "main ", "main\n", "main\0", "ｍain", "ma\u200bin", "ma\u0456n", "mаin", "main|develop", "ma*", "*", "",
    None, True, 1, 1.5, ["main"], ["prod", "main"], {"main": "main"}, {}, []], ids=repr)
def test_nothing_but_the_value_is_the_value(team, base):
    refused(team, lambda: team.call("open_pull", {**PULL, "base": base}))


def test_a_value_that_is_left_out_meets_no_condition(team):
    refused(team, lambda: team.call("open_pull", {k: v for k, v in PULL.items() if k != "base"}))
    refused(team, lambda: team.call("open_pull", {}))


def spelled(team, tool, arguments, user=ALICE, params=None):
    """A call whose arguments are a JSON text, sent as it is."""
    text = (params or '"name":' + json.dumps(tool) + ',"arguments":' + arguments)
    body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{' + text + ',"_meta":' + json.dumps(meta()) + "}}"
    return team.wire(team.token(user)).post({"method": "tools/call", "params": {"name": tool}}, body=body.encode())


@pytest.mark.parametrize("arguments", [
    '{"repo":"acme/web","token":"t","draft":true,"base":"main","base":"prod"}',
    '{"repo":"acme/web","token":"t","draft":true,"base":"prod","base":"main"}',
    '{"repo":"acme/web","token":"t","draft":true,"base":"main","b\\u0061se":"prod"}',
    '{"repo":"acme/web","token":"t","draft":true,"b\\u0061se":"prod","base":"main"}',
    '{"repo":"acme/web","token":"t","draft":true,"b\\u0061se":"prod"}',
    '{"repo":"acme/web","token":"t","draft":true,"base":"\\u0070rod"}',
    '{"repo":"acme/web","token":"t","draft":true,"Base":"main"}',
    '{"repo":"acme/web","token":"t","draft":true,"base ":"main"}',
    '{"arguments":{"base":"main"},"repo":"acme/web","token":"t"}',
    '[{"base":"main"}]', '"base=main"', "null"])
def test_arguments_cannot_be_smuggled_past_a_condition(team, arguments):
    refused(team, lambda: spelled(team, "open_pull", arguments))


def test_an_escaped_spelling_of_the_right_value_is_the_right_value(team):
    reply = spelled(team, "open_pull", '{"repo":"acme/web","token":"t","draft":true,"b\\u0061se":"m\\u0061in"}')
    assert reply.result["structuredContent"]["received"]["base"] == "main"


@pytest.mark.parametrize("params", [
    '"name":"echo","name":"unicode","arguments":{"text":"x"}', '"name":"unicode","name":"echo","arguments":{"text":"x"}',
    '"name":"echo","n\\u0061me":"unicode","arguments":{"text":"x"}',
    '"name":"open_pull","arguments":{"base":"main"},"arguments":{"base":"prod"}',
    '"name":["echo"],"arguments":{}', '"name":{"echo":1},"arguments":{}', '"name":null,"arguments":{}'])
def test_a_call_that_names_two_things_is_refused(team, params):
    refused(team, lambda: spelled(team, "echo", "{}", params=params))


@pytest.mark.parametrize("a", ["13", "13.0", "1.3e1", "130e-1", '"13"', "[13]", '{"value":13}', "null", "1300E-2"])
def test_a_denied_number_is_denied_however_it_is_written(team, a):
    refused(team, lambda: spelled(team, "add", '{"b":1,"a":' + a + "}"))


def test_a_denied_value_that_is_left_out_is_not_known_to_be_harmless(team):
    refused(team, lambda: team.call("add", {"b": 1}))
    assert team.call("add", {"a": 14, "b": 1}).result["structuredContent"] == {"sum": 15}


@pytest.mark.parametrize("region", ["cn", None, ["eu"], {"cn": 1}], ids=repr)
def test_a_value_that_must_differ_must_be_there_and_plain(team, region):
    refused(team, lambda: team.call("query", {"region": region, "sql": "x"}))


def test_all_conditions_of_a_denial_must_meet(team):
    refused(team, lambda: team.call("open_pull", {**PULL, "draft": False}))
    refused(team, lambda: team.call("open_pull", {k: v for k, v in PULL.items() if k != "draft"}))


def test_the_listed_schema_says_which_values_are_allowed(team):
    tools = {t["name"]: t for t in team.wire(team.token(ALICE)).call("tools/list").result["tools"]}
    assert tools["open_pull"]["inputSchema"]["properties"]["base"]["enum"] == ["main", "develop"]
    echo = {t["name"]: t for t in team.wire(team.token(BOB)).call("tools/list").result["tools"]}["echo"]
    assert echo["inputSchema"]["properties"]["text"]["enum"] == ["a", "b"]
    assert "enum" not in tools["echo"]["inputSchema"]["properties"]["text"]


# Header and body

@pytest.mark.parametrize("header, body", [("echo", "unicode"), ("unicode", "echo"), ("Echo", "echo"), ("", "unicode"), (None, "unicode")])
def test_header_and_body_that_disagree_about_the_tool_are_refused(team, header, body):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": body, "arguments": {"text": "x"}, "_meta": meta()}}
    refused(team, lambda: team.wire(team.token(ALICE)).post(message, {"Mcp-Name": header and header_value(header)}))


@pytest.mark.parametrize("method", ["tools/list", "ping", "TOOLS/CALL"])
def test_header_and_body_that_disagree_about_the_method_are_refused(team, method):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "unicode", "arguments": {"text": "x"}, "_meta": meta()}}
    refused(team, lambda: team.wire(team.token(ALICE)).post(message, {"Mcp-Method": method}))


def test_a_parameter_header_cannot_say_another_region_than_the_body(team):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "query", "arguments": {"region": "cn"}, "_meta": meta()}}
    refused(team, lambda: team.wire(team.token(ALICE)).post(message, {"Mcp-Param-Region": "eu"}))


# Above the teams

def test_the_gateways_policy_stands_above_every_role(team):
    refused(team, lambda: team.call("crash", {}, ROOT))
    refused(team, lambda: team.call("crash", {}, BOB, server="foreign"))
    refused(team, lambda: team.call("add_tool", {"name": "x"}, BOB, server="foreign"))


def test_a_caller_cannot_choose_who_it_is(team):
    for more in ({"io.modelcontextprotocol/user": ROOT}, {"groups": ["admins"]}):
        refused(team, lambda: team.wire(team.token(BOB)).call("tools/call", {"name": "add", "arguments": {"a": 1, "b": 1}}, **more))
    for header in ("X-User", "X-Forwarded-User", "X-Remote-User", "X-Groups", "Mcp-User"):
        refused(team, lambda: team.wire(team.token(BOB)).call(
            "tools/call", {"name": "add", "arguments": {"a": 1, "b": 1}}, headers={header: ROOT}))


def test_a_role_that_is_taken_away_is_gone_with_the_next_token(team):
    assert team.call("release", {"gate": "g"}, ROOT).result
    demoted = team.authority.token(ROOT, audience=team.origin, groups=[])
    refused(team, lambda: team.wire(demoted).call("tools/call", {"name": "release", "arguments": {"gate": "g"}}))


@pytest.mark.parametrize("groups", ["admins sales", ["admins", 7], {"admins": True}, [["admins"]], "Admins", ["admins "]], ids=repr)
def test_groups_of_another_form_never_make_more_of_a_caller_than_they_say(team, groups):
    token = team.authority.token("eve@example.com", audience=team.origin, groups=groups)
    reply = team.wire(token).call("tools/list")
    names = [t["name"] for t in reply.result["tools"]] if reply.status == 200 else []
    # A list of texts, or texts between spaces, are groups; anything else is none.
    assert ("release" in names) == (groups == "admins sales") or reply.status == 401 or groups == ["admins", 7]
