"""Scenarios prompts-*."""

import json

from .registry import scenario

NEEDS = "prompts_and_resources"


@scenario("prompts-list", needs=NEEDS)
def prompts_list(case):
    prompts = case.peer.ask("prompts/list").result["prompts"]
    assert isinstance(prompts, list) and {"test_simple_prompt", "test_prompt_with_arguments"} <= {prompt["name"] for prompt in prompts}
    for prompt in prompts:
        assert prompt["name"] and prompt["description"], prompt


def messages(case, name, **arguments):
    params = {"name": name, **({"arguments": arguments} if arguments else {})}
    found = case.peer.ask("prompts/get", params).result["messages"]
    assert isinstance(found, list) and found
    for message in found:
        assert message["role"] and message["content"]
    return found


@scenario("prompts-get-simple", needs=NEEDS)
def simple(case):
    assert messages(case, "test_simple_prompt")[0]["content"]["text"] == "This is a simple prompt for testing."


@scenario("prompts-get-with-args", needs=NEEDS)
def with_arguments(case):
    text = json.dumps(messages(case, "test_prompt_with_arguments", arg1="testValue1", arg2="testValue2"))
    assert "testValue1" in text and "testValue2" in text


@scenario("prompts-get-embedded-resource", needs=NEEDS)
def embedded_resource(case):
    found = messages(case, "test_prompt_with_embedded_resource", resourceUri="test://example-resource")
    resources = [m["content"]["resource"] for m in found if m["content"]["type"] == "resource"]
    assert resources[0]["uri"] == "test://example-resource"


@scenario("prompts-get-with-image", needs=NEEDS)
def image(case):
    images = [m["content"] for m in messages(case, "test_prompt_with_image") if m["content"]["type"] == "image"]
    assert images[0]["data"] and images[0]["mimeType"]
