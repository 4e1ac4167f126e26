"""Scenarios elicitation-sep1034-defaults and elicitation-sep1330-enums."""

from .registry import LEGACY, scenario


def asked(case, tool, content):
    """The properties that a person is asked for, after the tool has had its answer."""
    peer = case.open(answers={"elicitation/create": {"action": "accept", "content": content}})
    answer = peer.call(tool)
    question, = answer.questions
    assert question["method"] == "elicitation/create"
    assert answer.result["content"] and not answer.result.get("isError")
    for value in content.values():
        assert str(value).lower().replace("'", '"') in answer.result["content"][0]["text"].lower(), "the answer reaches the tool"
    return question["params"]["requestedSchema"]["properties"]


@scenario("elicitation-sep1034-defaults", [LEGACY], needs="questions")
def defaults(case):
    properties = asked(case, "test_elicitation_sep1034_defaults", {
        "name": "Jane Smith", "age": 25, "score": 88, "status": "inactive", "verified": False})
    for name, kind, default in [
            ("name", "string", "John Doe"), ("age", "integer", 30), ("score", "number", 95.5),
            ("status", "string", "active"), ("verified", "boolean", True)]:
        assert (properties[name]["type"], properties[name]["default"]) == (kind, default)
    assert properties["verified"]["default"] is True
    assert properties["status"]["default"] in properties["status"]["enum"]


def titled(choices):
    return choices and all(isinstance(choice["const"], str) and isinstance(choice["title"], str) for choice in choices)


@scenario("elicitation-sep1330-enums", [LEGACY], needs="questions")
def enums(case):
    properties = asked(case, "test_elicitation_sep1330_enums", {
        "untitledSingle": "option1", "titledSingle": "value1", "legacyEnum": "opt1",
        "untitledMulti": ["option1", "option2"], "titledMulti": ["value1", "value2"]})
    single = properties["untitledSingle"]
    assert single["type"] == "string" and single["enum"] and not {"oneOf", "enumNames"} & set(single)
    single = properties["titledSingle"]
    assert single["type"] == "string" and titled(single["oneOf"]) and "enum" not in single
    single = properties["legacyEnum"]
    assert single["type"] == "string" and len(single["enum"]) == len(single["enumNames"]) > 0
    many = properties["untitledMulti"]
    assert many["type"] == "array" and many["items"]["type"] == "string" and many["items"]["enum"] and "anyOf" not in many["items"]
    many = properties["titledMulti"]
    assert many["type"] == "array" and titled(many["items"]["anyOf"]) and "enum" not in many["items"]
