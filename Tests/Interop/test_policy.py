"""Who may do what: roles and policy as product sections 2 and 3 say, in the list, in the call and in what the commands print."""

import json
import os
import pwd

import pytest
from harness.clients import Refused, Target, connect, list_tools
from harness.deadline import eventually
from harness.wire import Wire, request

pytestmark = [pytest.mark.gateway, pytest.mark.anyio, pytest.mark.quick]

LOGIN = pwd.getpwuid(os.geteuid()).pw_name
PULL = {"as": "create_pr", "arguments": {"repo": {"fixed": "acme/web"}, "token": {"default": "t"}}}
ROLES = {
    "everyone": {"who": ["everyone"], "allow": ["@read", "add", "create_pr(base=main|develop)", "big", "release"], "deny": ["add(a=13)", "big"]},
    "lead": {"who": ["user:alice@example.com", "group:leads"], "allow": ["*"], "deny": ["create_pr(base=main)"]},
    "local": {"who": [f"user:{LOGIN}"], "allow": ["fail"]},
}


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    from harness.gateway import Configuration, Gateway
    from harness.upstream import Upstream, running
    folder = tmp_path_factory.mktemp("policy")
    one = Upstream(folder, "one", "current", "http")
    tools = [{"tool": "one.open_pull", **PULL}, "one.echo", "one.add", "one.fail", "one.big", "one.remove_tool", "one.add_tool", "one.release",
             "one.query"]
    servers = {
        "team": {"names": "plain", "tools": tools, "roles": ROLES},
        "other": {"tools": ["one.fail"], "roles": {"nobody": {"who": ["user:nobody"], "allow": ["*"]}}},
        "open": {"names": "plain", "tools": ["one.echo", "one.add", "one.fail", "one.open_pull"]},
    }
    policy = [{"deny": "one.release", "reason": "Gates are opened by people."}, {"deny": "one.fail", "unless": ["group:testers", f"user:{LOGIN}"]}]
    with running(one), Gateway(Configuration(folder, {"one": one.settings()}, servers, policy=policy)) as gateway:
        eventually(lambda: gateway.ready()["upstreams"]["one"]["state"] == "up")
        yield gateway, one.journal


def journal_count(office):
    return len(office[1].entries(event="call"))


@pytest.mark.parametrize("client", ["http-modern", "http-legacy", "old-http"])
async def test_the_list_holds_what_may_be_called(office, client):
    async with connect(client, Target.server(office[0], "team")) as session:
        tools = {tool["name"]: tool for tool in await list_tools(session)}
        assert set(tools) == {"echo", "add", "create_pr"}
        base = tools["create_pr"]["inputSchema"]["properties"]["base"]
        assert base["enum"] == ["main", "develop"] and base["description"] == "The branch to merge into."
        assert (await session.call("add", {"a": 1, "b": 2}))["structuredContent"] == {"sum": 3}
        opened = await session.call("create_pr", {"base": "main"})
        assert opened["structuredContent"]["received"] == {"base": "main", "repo": "acme/web", "token": "t"}
    async with connect(client, Target.server(office[0], "other")) as session:
        assert await list_tools(session) == []


async def test_a_list_that_depends_on_the_caller_is_private(office):
    for server, scope in (("team", "private"), ("other", "private")):
        assert Wire(office[0].url(server)).call("tools/list").result["cacheScope"] == scope


@pytest.mark.parametrize("name", ["fail", "big", "release", "remove_tool", "one_echo", "one.echo", "ECHO", "echo ", "open_pull", "ec\u200bho", "\uff45cho"])
@pytest.mark.parametrize("client", ["http-modern", "http-legacy"])
async def test_what_is_refused_answers_like_what_does_not_exist(office, client, name):
    before = journal_count(office)
    async with connect(client, Target.server(office[0], "team")) as session:
        with pytest.raises(Refused) as other:
            await session.call("never_heard_of", {})
        with pytest.raises(Refused) as refused:
            await session.call(name, {})
    assert refused.value.code == other.value.code == -32602
    assert refused.value.message == other.value.message.replace("never_heard_of", name)
    assert journal_count(office) == before


async def test_a_tool_is_not_reached_through_another_virtual_server(office):
    async with connect("http-modern", Target.server(office[0], "other")) as session:
        for name in ("one_fail", "fail", "echo", "team_echo", "team/echo"):
            with pytest.raises(Refused):
                await session.call(name, {})


# Past a condition: allowed is base=main|develop, denied a=13.
@pytest.mark.parametrize("arguments", [
    '{"base":"master"}', '{"base":"Main"}', '{"base":["main"]}', '{"base":{"main":1}}', '{"base":null}', '{}', '{"base":"main","base":"x"}',
    '{"base":"x","base":"main"}', r'{"base":"main","\u0062ase":"x"}', '{"base":"main","BASE":"x"}', r'{"base":"main\u0000"}', '{"base":"main "}',
    r'{"base":"\uff4dain"}', r'{"base":"m\u0430in"}', '{"base":true}', '{"base":0}', '{"BASE":"main"}', '[]', 'null', '"main"', '{"b":{"base":"main"}}',
])
def test_nothing_is_smuggled_past_an_allowed_value(office, arguments):
    before = journal_count(office)
    for error in raw_errors(office, "create_pr", arguments):
        assert error["code"] == -32602
    assert journal_count(office) == before


@pytest.mark.parametrize("arguments", [
    '{"a":13,"b":1}', '{"a":13.0,"b":1}', '{"a":1.3e1,"b":1}', '{"a":130e-1,"b":1}', '{"a":"13","b":1}', '{"a":" 13","b":1}', '{"a":"13.0","b":1}',
    '{"a":[13],"b":1}', '{"b":1}', '{"a":1,"A":13,"b":1}', '{"a":1,"a":13,"b":1}', r'{"a":1,"\u0061":13,"b":1}', '{"a":null,"b":1}', '{"A":13,"b":1}',
    r'{"a":"\uff11\uff13","b":1}', '{"a":13.00000000000000000001,"b":1}',
])
def test_nothing_is_smuggled_past_a_denied_value(office, arguments):
    before = journal_count(office)
    for error in raw_errors(office, "add", arguments):
        assert error["code"] == -32602
    assert journal_count(office) == before


def raw_errors(office, tool, arguments):
    """The refusals of a call spelt by hand, in both eras."""
    modern = Wire(office[0].url("team"))
    legacy = Wire(office[0].url("team"), "2025-11-25")
    legacy.initialize()
    for wire in (modern, legacy):
        from harness.wire import meta
        params = {"name": tool, **({"_meta": meta()} if wire is modern else {})}
        message = request("tools/call", params)
        text = json.dumps(message)
        assert text.endswith("}}")
        yield wire.post(message, body=(text[:-2] + f', "arguments": {arguments}' + "}}").encode()).error


def test_a_batch_is_judged_call_by_call(office):
    wire = Wire(office[0].url("team"), "2025-03-26")
    wire.initialize()
    calls = [("add", {"a": 1, "b": 1}), ("fail", {}), ("add", {"a": 13, "b": 1}), ("create_pr", {"base": "x"}), ("echo", {"text": "y"})]
    messages = wire.post([request("tools/call", {"name": n, "arguments": a}, id=i) for i, (n, a) in enumerate(calls)]).messages[-1]
    assert {m["id"]: "result" in m for m in messages} == {0: True, 1: False, 2: False, 3: False, 4: True}


async def test_policy_stands_above_a_virtual_server_that_is_open_to_all(office):
    async with connect("http-modern", Target.server(office[0], "open")) as session:
        assert {tool["name"] for tool in await list_tools(session)} == {"echo", "add", "open_pull"}
        with pytest.raises(Refused):
            await session.call("fail", {})


async def test_stdio_acts_for_the_local_user(office):
    async with connect("stdio-modern", Target.server(office[0], "team")) as session:
        assert {tool["name"] for tool in await list_tools(session)} == {"echo", "add", "create_pr", "fail"}


async def test_a_tool_that_says_something_else_is_judged_anew_and_clients_are_told(workshop):
    one = workshop.upstream("one")
    configuration = workshop.configuration([one], {"team": {
        "names": "plain", "new_tools": "show", "tools": ["one.*"], "roles": {"r": {"who": ["everyone"], "allow": ["*"], "deny": ["late_*"]}}}})
    gateway = workshop.gateway(configuration)
    async with connect("http-legacy", Target.server(gateway, "team")) as session:
        await session.call("add_tool", {"name": "late_one"})
        await session.call("add_tool", {"name": "soon_one"})

        def names():
            return {tool["name"] for tool in Wire(gateway.url("team")).call("tools/list").result["tools"]}

        eventually(lambda: "soon_one" in names())
        assert "late_one" not in names()


async def test_rules_that_change_are_in_force_and_announced(workshop):
    one = workshop.upstream("one")
    server = {"names": "plain", "tools": ["one.echo", "one.add"], "roles": {"r": {"who": ["everyone"], "allow": ["echo"]}}}
    configuration = workshop.configuration([one], {"team": server})
    gateway = workshop.gateway(configuration)
    wire = Wire(gateway.url("team"), "2025-11-25")
    wire.initialize()
    eventually(lambda: [tool["name"] for tool in wire.call("tools/list").result["tools"]] == ["echo"])
    with wire.listen() as stream:
        configuration.write_server("team", {**server, "roles": {"r": {"who": ["everyone"], "allow": ["add"]}}})
        gateway.reload()
        stream.until(lambda m: m.get("method") == "notifications/tools/list_changed")
    assert [tool["name"] for tool in wire.call("tools/list").result["tools"]] == ["add"]


# The commands

def test_tools_shows_what_somebody_sees(office):
    run = office[0].configuration.run
    seen = {
        "user:bob": {"echo", "add", "create_pr"}, "client:bot,group:leads": {"echo", "add", "create_pr", "remove_tool", "add_tool", "query"},
        "user:t,group:testers,group:leads": {"echo", "add", "create_pr", "remove_tool", "add_tool", "query", "fail"},
    }
    for who, names in seen.items():
        done = run("tools", "--server", "team", "--as", who, "--json")
        assert done.returncode == 0, done.stderr
        assert {tool["name"] for tool in json.loads(done.stdout)} == names, who


def test_call_acts_for_somebody(office):
    run = office[0].configuration.run
    assert run("call", "--server", "team", "--as", "user:bob", "add", '{"a":1,"b":1}').returncode == 0
    done = run("call", "--server", "team", "--as", "user:bob", "remove_tool", '{"name":"x"}')
    assert done.returncode == 1 and done.stdout == "" and "Unknown tool: remove_tool" in done.stderr


@pytest.mark.parametrize("who, tool, arguments, allowed, rule", [
    ("user:bob", "add", '{"a":1,"b":2}', True, "add"), ("user:bob", "add", '{"a":13,"b":2}', False, "add(a=13)"),
    ("user:bob", "remove_tool", None, False, None), ("user:alice@example.com", "remove_tool", None, True, "*"),
    ("user:alice@example.com", "create_pr", '{"base":"main"}', False, "create_pr(base=main)"),
    ("user:alice@example.com", "release", None, False, "one.release"), ("user:bob", "fail", None, False, "one.fail"),
    ("user:bob,group:leads", "big", '{"bytes":1}', False, "big"), ("user:bob", "nothing", None, False, None),
])
def test_explain_names_the_rule_and_where_it_stands(office, who, tool, arguments, allowed, rule):
    configuration = office[0].configuration
    done = configuration.run("explain", "--server", "team", "--as", who, tool, *([arguments] if arguments else []))
    lines = done.stdout.splitlines()
    assert done.returncode == (0 if allowed else 1), done.stderr
    assert lines[0].startswith("ALLOWED" if allowed else "REFUSED")
    told = json.loads(configuration.run("explain", "--server", "team", "--as", who, tool, *([arguments] if arguments else []), "--json").stdout)
    assert told["decision"] == ("allowed" if allowed else "denied")
    if rule is None:
        assert told["rule"] is None
        return
    place = told["rule"]
    assert place["text"] == rule
    assert f"{place['file']}:{place['line']}:{place['column']}: {rule}" in lines[1]
    text = open(os.path.join(configuration.folder, place["file"])).read().splitlines()[place["line"] - 1]
    assert text[place["column"] - 1:].startswith(json.dumps(rule))
    assert any(step["applies"] and step["text"] == rule for step in told["considered"])


def test_the_reason_of_policy_is_told_to_who_runs_the_gateway_only(office):
    done = office[0].configuration.run("explain", "--server", "team", "--as", "user:bob", "release")
    assert "Gates are opened by people." in done.stdout
    error = Wire(office[0].url("team")).call("tools/call", {"name": "release", "arguments": {}}).error
    assert error["message"] == "Unknown tool: release"


@pytest.mark.parametrize("who", ["", "bob", "group:x", "user:", "user:a,user:b", "role:x"])
def test_a_caller_that_is_none_is_a_wrong_command_line(office, who):
    for command in (["tools"], ["call", "echo"], ["explain", "echo"]):
        assert office[0].configuration.run(*command, "--server", "team", "--as", who).returncode == 2


def test_check_knows_the_rules_that_never_match(workshop):
    one = workshop.upstream("one")
    configuration = workshop.configuration([one], {"team": {"names": "plain", "tools": ["one.*"], "new_tools": "show", "roles": {"r": {
        "who": ["everyone"], "allow": ["ecko", "add(c=1)", "open_pull(bas=main)", "*(nowhere=1)", "echo"], "deny": ["delete_*"]}}}},
        policy=[{"deny": "one.brig"}, {"deny": "one.add(x=1)"}, {"deny": "one.later_*"}, {"deny": "*.@destructive"}])
    assert configuration.run("check").returncode == 0
    done = configuration.run("check", "--connect")
    assert done.returncode == 1
    for text in ['"ecko"; did you mean "echo"?', 'no argument "c"', 'no argument "bas", which "open_pull(bas=main)" asks for; did you mean "base"?',
                 'an argument "nowhere"', '"delete_*"', '"one.brig"; did you mean "big"?', 'no argument "x"']:
        assert text in done.stdout, (text, done.stdout)
    assert "later_" not in done.stdout and "@destructive" not in done.stdout


def test_the_difference_between_two_configurations_is_told(workshop, tmp_path_factory):
    from harness.gateway import Configuration
    one = workshop.upstream("one")

    def server(roles):
        return {"team": {"names": "plain", "tools": ["one.echo", "one.add", "one.fail"], "roles": roles}}

    before = Configuration(tmp_path_factory.mktemp("old"), {"one": one.settings()}, server({
        "r": {"who": ["group:a"], "allow": ["echo", "add(a=1)"]}, "s": {"who": ["user:u"], "allow": ["fail"]}}))
    after = workshop.configuration([one], server({"r": {"who": ["group:a"], "allow": ["add", "fail"]}, "s": {"who": ["everyone"], "allow": ["@read"]}}))
    done = after.run("check", "--diff", str(before.path), "--connect")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line[:2] in ("+ ", "- ", "~ ")]
    assert lines == [
        "+ team: everyone gains echo (one.echo)", "~ team: group:a keeps add (one.add), now with any arguments", "+ team: group:a gains fail (one.fail)",
        "- team: user:u loses fail (one.fail)"] or set(lines) >= {
        "+ team: everyone gains echo (one.echo)", "~ team: group:a keeps add (one.add), now with any arguments", "+ team: group:a gains fail (one.fail)",
        "- team: user:u loses fail (one.fail)"}
    plain = after.run("check", "--diff", str(before.path))
    assert plain.returncode == 0 and "? team: can't tell without --connect: user:u is no longer allowed fail" in plain.stdout
    same = after.run("check", "--diff", str(after.path))
    assert "nobody gains or loses a tool" in same.stdout


@pytest.mark.parametrize("deny, told", [
    ("one.ecko", 'did you mean "echo"?'), ("one.add(x=1)", 'no argument "x"')])
def test_a_misspelt_rule_of_policy_is_told_wherever_the_tools_are_known(workshop, deny, told):
    one = workshop.upstream("one")
    configuration = workshop.configuration([one], {"team": {"names": "plain", "tools": ["one.*"], "new_tools": "show"}}, policy=[{"deny": deny}])
    assert configuration.run("check").returncode == 0
    done = configuration.run("check", "--connect")
    assert done.returncode == 1 and told in done.stdout
    for command in (["tools"], ["call", "echo", '{"text":"x"}'], ["explain", "echo", "--as", "user:a"]):
        done = configuration.run(*command, "--server", "team")
        assert done.returncode == 0 and done.stderr.count(told) == 1, (command, done.stdout, done.stderr)
    gateway = workshop.gateway(configuration)
    Wire(gateway.url("team")).call("tools/list").answer()
    gateway.process.wait_for("matches|has no argument")
    assert gateway.process.stderr.count(told) == 1
    # So it is after a change, while the upstream stays up.
    configuration.write_gateway({"upstreams": {"one": one.settings()}, "policy": [{"deny": "one.brig"}]})
    gateway.process.wait_for('did you mean "big"')


@pytest.mark.parametrize("change, told", [
    ({"allow": ["big"]}, ["group:x is allowed big now", "group:x is no longer allowed add"]), ({"who": ["group:y"]}, ["group:y is allowed add now"]),
    ({"policy": []}, ["`policy` no longer denies one.big"])])
def test_what_patterns_hide_is_said_to_be_unknown(workshop, tmp_path_factory, change, told):
    from harness.gateway import Configuration
    def made(folder, policy=("one.big",), **role):
        servers = {"team": {"names": "plain", "tools": ["one.*"], "roles": {"r": {"who": ["group:x"], "allow": ["add"], **role}}}}
        return Configuration(folder, {"one": {"url": "http://127.0.0.1:1/mcp"}}, servers, policy=[{"deny": text} for text in policy])

    before, after = made(tmp_path_factory.mktemp("old")), made(workshop.folder, **change)
    done = after.run("check", "--diff", str(before.path))
    assert done.returncode == 0 and "nobody gains" not in done.stdout
    for text in told:
        assert f"? team: can't tell without --connect: {text}" in done.stdout
    assert "nobody gains or loses" in after.run("check", "--diff", str(after.path)).stdout


def test_explain_gives_the_reason_of_shaping_before_that_of_a_rule(workshop):
    one = workshop.upstream("one")
    pull = {"tool": "one.open_pull", "as": "pr", "arguments": {"repo": {"fixed": "acme/web"}}}
    configuration = workshop.configuration([one], {"team": {"tools": [pull], "roles": {"r": {
        "who": ["client:bot"], "allow": ["pr(repo=acme/web,base!=main)"]}}}})
    done = configuration.run("explain", "--server", "team", "--as", "client:bot", "pr", '{"base":"develop","repo":"acme/web"}')
    assert done.returncode == 1 and "`repo` is not an argument of this tool" in done.stdout and "no rule" not in done.stdout
    assert configuration.run("explain", "--server", "team", "--as", "client:bot", "pr", '{"base":"develop"}').returncode == 0
    hidden = configuration.run("explain", "--server", "team", "--as", "client:other", "pr", '{"repo":"acme/web"}')
    assert hidden.returncode == 1 and "`repo`" not in hidden.stdout


@pytest.mark.parametrize("who", ["user:a,groups:x", "user:a, group:b", "user:a,b"])
def test_a_caller_that_is_misspelt_is_a_wrong_command_line(workshop, who):
    configuration = workshop.configuration({"one": {"url": "http://127.0.0.1:1/mcp"}}, {"team": {"tools": ["one.*"]}})
    done = configuration.run("tools", "--server", "team", "--as", who)
    assert done.returncode == 2 and "a comma in a name" in done.stderr
