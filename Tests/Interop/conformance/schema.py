"""Scenario json-schema-2020-12."""

from .registry import scenario


@scenario("json-schema-2020-12")
def keywords(case):
    tools = case.peer.ask("tools/list").result["tools"]
    schema, = (tool["inputSchema"] for tool in tools if tool["name"] == "json_schema_2020_12_tool")
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$defs"]["address"]["$anchor"] == "addressDef"
    assert schema["additionalProperties"] is False
    assert any(isinstance(one.get("anyOf"), list) for one in schema["allOf"])
    assert {"if", "then", "else"} <= set(schema)
