"""`check` finds what can't work, once, in the right place, with the fix."""

import base64

import pytest
from harness.authority import AuthorizationServer

pytestmark = [pytest.mark.gateway, pytest.mark.quick]

AWAY = {"url": "http://127.0.0.1:1/mcp"}
CODE = {"grant": "authorization_code"}
CLIENT = {"token_url": "https://login.example/token", "client_id": "c"}
ISSUERS = {"identity": {"issuers": [{"issuer": "https://login.example", "audience": "https://mcp.example"}]}}


def check(workshop, *arguments, server=None, upstream=None, environment=(), **more):
    configuration = workshop.configuration({"one": {**AWAY, **(upstream or {})}}, {"team": server or {"tools": ["one.*"]}}, **more)
    configuration.environment |= dict(environment)
    done = configuration.run("check", *arguments)
    return done.returncode, done.stdout, done.stderr


def role(*allow, **more):
    return {"tools": ["one.*"], **more, "roles": {"r": {"who": ["everyone"], "allow": list(allow)}}}


@pytest.mark.parametrize("key, told", [("short", "32 bytes in base64"), (base64.b64encode(b"k" * 31).decode(), "32 bytes in base64"),
                                       (base64.b64encode(b"k" * 32).decode(), None)])
def test_a_state_key_must_be_one(workshop, key, told):
    status, out, _ = check(workshop, state_key="${env:STATE_KEY}", environment={"STATE_KEY": key})
    assert status == (1 if told else 0) and (told or "no problems") in out and key not in out


def test_a_key_that_signs_must_be_one(workshop):
    oauth = {"grant": "client_credentials", **CLIENT, "client_auth": "private_key_jwt", "key": "${env:KEY}", "algorithm": "ES256"}
    status, out, _ = check(workshop, upstream={"credential": {"oauth": oauth}}, environment={"KEY": "no-pem-at-all"})
    assert status == 1 and "${env:KEY} is no private key in PEM" in out and "no-pem-at-all" not in out


def test_a_token_can_be_exchanged_only_where_callers_have_one(workshop):
    oauth = {"grant": "token_exchange", **CLIENT, "client_secret": "${env:S}"}
    upstream, environment = {"credential": {"oauth": oauth}}, {"S": "value"}
    status, out, _ = check(workshop, upstream=upstream, environment=environment)
    assert status == 1 and "there are no `issuers`" in out
    assert check(workshop, upstream=upstream, environment=environment, **ISSUERS)[0] == 0


def test_anonymous_callers_can_not_sign_in(workshop):
    status, _, said = check(workshop, upstream={"credential": {"oauth": CODE}})
    assert status == 0 and "warning" in said and "anonymous, who can't sign in to one" in said
    assert "anonymous" not in check(workshop, upstream={"credential": {"oauth": CODE}}, **ISSUERS)[2]


def test_an_issuer_that_is_misspelt_has_no_keys(workshop):
    one = workshop.upstream("one")
    with AuthorizationServer() as authority:
        for ending, expected in (("", 0), ("/", 1)):
            identity = {"issuers": [{"issuer": authority.issuer + ending, "audience": "https://mcp.example"}]}
            status, out, _ = check(workshop, "--connect", upstream=one.settings(), identity=identity)
            assert status == expected and ("can't be had" in out) == bool(expected), out


def test_an_unset_variable_is_told_once(workshop):
    status, out, said = check(workshop, "--connect", upstream={"credential": {"bearer": "${env:NOT_SET_ANYWHERE}"}})
    assert status == 1 and out.count("NOT_SET_ANYWHERE") == 1 and "1 problem" in said, out + said


def test_a_misspelt_grant_is_one_problem(workshop):
    status, out, said = check(workshop, upstream={"credential": {"oauth": {"grant": "authorisation_code"}}})
    assert status == 1 and out.count("\n") == 1 and 'did you mean "authorization_code"?' in out, out


def test_a_rule_that_the_list_cuts_in_two_wants_quotes(workshop):
    server = "tools: [one.*]\nroles: { r: { who: [everyone], allow: [one_add(a=1,b=x)] } }\n"
    status, out, _ = check(workshop, server=server)
    assert status == 1 and out.count("\n") == 1 and 'put the rule in quotes: "one_add(a=1,b=x)"' in out, out


@pytest.mark.parametrize("names, fix", [("plain", "write add\n"), ("prefixed", "write one_add, or")])
def test_a_rule_with_the_upstreams_dot_is_told_the_name_here(workshop, names, fix):
    status, out, _ = check(workshop, server=role("one.add", names=names))
    assert status == 1 and fix in out, out


@pytest.mark.parametrize("rule", ["one_mk(project=OTHER)", "one_mk(draft=true)", "one_mk(priority=urgent)", "one_mk(priority!=low|normal)",
                                  "one_mk(priority=low,priority=normal)"])
def test_a_rule_that_nothing_can_meet_is_found_in_the_file(workshop, rule):
    shaped = {"tool": "one.mk", "arguments": {"project": {"fixed": "DESK"}, "draft": {"hidden": True}, "priority": {"allow": ["low", "normal"]}}}
    status, out, _ = check(workshop, server=role(rule, tools=[shaped]))
    assert status == 1 and "can never match" in out, out
    assert check(workshop, server=role("one_mk(project=DESK,priority=low)", tools=[shaped]))[0] == 0


def test_an_argument_that_is_not_there_is_told_what_there_is(workshop):
    one = workshop.upstream("one")
    server = {"tools": [{"tool": "one.add", "arguments": {"nowhere": {"hidden": True}}}]}
    status, out, _ = check(workshop, "--connect", upstream=one.settings(), server=server)
    assert status == 1 and "there are: a, b" in out, out


def test_a_keys_file_wants_its_folder(workshop):
    configuration = workshop.configuration({"one": AWAY}, {"team": {"tools": ["one.*"]}}, identity={"keys_file": "nowhere/keys.yaml"})
    done = configuration.run("key", "new", "bot")
    assert done.returncode == 1 and "create it" in done.stderr and "permissions" not in done.stderr, done.stderr
