"""Scenarios logging-set-level, ping and completion-complete."""

from .registry import LEGACY, scenario


@scenario("logging-set-level", [LEGACY])
def set_level(case):
    assert case.peer.ask("logging/setLevel", {"level": "info"}).result == {}


@scenario("ping", [LEGACY])
def ping(case):
    assert case.peer.ask("ping").result == {}


@scenario("completion-complete", needs="prompts_and_resources")
def complete(case):
    result = case.peer.ask("completion/complete", {
        "ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"}, "argument": {"name": "arg1", "value": "test"}}).result
    assert result["completion"]["values"] == ["test1", "test2"]
