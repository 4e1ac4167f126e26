"""What the official conformance scenarios ask of the server that they are run against, independent of any SDK."""

import json

from rounds import ToolFailure

STRING = {"type": "string"}
CHOICES = [{"const": "value1", "title": "First"}, {"const": "value2", "title": "Second"}, {"const": "value3", "title": "Third"}]


def tool(name, properties=None, required=(), **more):
    schema = {"type": "object", "properties": properties or {}}
    if required:
        schema["required"] = list(required)
    return {"name": name, "description": f"Test tool {name}.", "inputSchema": schema, **more}


SCHEMA_2020_12 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
    "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": STRING, "city": STRING}}},
    "properties": {
        "name": STRING, "address": {"$ref": "#/$defs/address"}, "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": STRING, "email": STRING},
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]}, "else": {"required": ["email"]}, "additionalProperties": False,
}

TOOLS = [
    tool("test_simple_text"),
    tool("test_image_content"),
    tool("test_audio_content"),
    tool("test_embedded_resource"),
    tool("test_multiple_content_types"),
    tool("test_error_handling"),
    tool("test_tool_with_progress"),
    tool("test_tool_with_logging"),
    tool("test_logging_tool"),
    tool("test_missing_capability"),
    tool("test_streaming_elicitation"),
    tool("test_trigger_tool_change"),
    tool("test_trigger_prompt_change"),
    tool("test_x_mcp_header", {"region": {"type": "string", "x-mcp-header": "Region"}}, ["region"]),
    tool("test_sampling", {"prompt": STRING}, ["prompt"]),
    tool("test_elicitation", {"message": STRING}, ["message"]),
    tool("test_elicitation_sep1034_defaults"),
    tool("test_elicitation_sep1330_enums"),
    tool("test_input_required_result_elicitation"),
    tool("test_input_required_result_sampling"),
    tool("test_input_required_result_list_roots"),
    tool("test_input_required_result_request_state"),
    tool("test_input_required_result_multiple_inputs"),
    tool("test_input_required_result_multi_round"),
    tool("test_input_required_result_tampered_state"),
    tool("test_input_required_result_capabilities"),
    {**tool("json_schema_2020_12_tool"), "inputSchema": SCHEMA_2020_12},
    # Beyond the suite
    tool("test_url_elicitation"),
    tool("test_sampling_with_tools"),
    tool("test_trigger_resource_change"),
    tool("test_touch_resource", {"uri": STRING}, ["uri"]),
    tool("test_reconnection"),
]

PROMPTS = [
    {"name": "test_simple_prompt", "description": "A prompt without arguments.", "title": "Simple",
     "icons": [{"src": "https://icons.example/prompt.png", "mimeType": "image/png", "sizes": ["48x48"]}]},
    {"name": "test_prompt_with_arguments", "description": "A prompt with arguments.", "arguments": [
        {"name": "arg1", "description": "The first.", "required": True}, {"name": "arg2", "description": "The second.", "required": True}]},
    {"name": "test_prompt_with_embedded_resource", "description": "A prompt with a resource.", "arguments": [
        {"name": "resourceUri", "description": "What to embed.", "required": True}]},
    {"name": "test_prompt_with_image", "description": "A prompt with an image."},
    {"name": "test_input_required_result_prompt", "description": "A prompt that asks back."},
]

PANEL = "ui://interop/panel"
RESOURCES = [
    {"uri": "test://static-text", "name": "static-text", "description": "A text.", "mimeType": "text/plain", "size": 11,
     "icons": [{"src": "https://icons.example/text.png"}]},
    {"uri": "test://static-binary", "name": "static-binary", "description": "A picture.", "mimeType": "image/png"},
    {"uri": "test://watched-resource", "name": "watched-resource", "description": "It changes.", "mimeType": "text/plain"},
    {"uri": PANEL, "name": "panel", "description": "A user interface of MCP Apps.", "mimeType": "text/html;profile=mcp-app",
     "_meta": {"ui": {"prefersBorder": True}}},
]
TEMPLATES = [
    {"uriTemplate": "test://item/{id}", "name": "item", "description": "An item."},
    {"uriTemplate": "test://template/{id}/data", "name": "data", "description": "Data by number.", "mimeType": "application/json"},
]
VALUES = ["paris", "park", "party", "test1", "test2"]


# Questions

def form(message, properties, required=None):
    return {"method": "elicitation/create", "params": {
        "message": message, "requestedSchema": {"type": "object", "properties": properties, "required": required or list(properties)}}}


def sampling(text, tokens=100, **more):
    return {"method": "sampling/createMessage", "params": {
        "messages": [{"role": "user", "content": {"type": "text", "text": text}}], "maxTokens": tokens, **more}}


ROOTS = {"method": "roots/list"}
NAME = form("What is your name?", {"name": STRING})
DEFAULTS = form("Is this right?", {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}, ["name"])
ENUMS = form("Choose.", {
    "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
    "titledSingle": {"type": "string", "oneOf": CHOICES},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
    "titledMulti": {"type": "array", "items": {"anyOf": CHOICES}},
}, ["untitledSingle"])
ADDRESS = {"method": "elicitation/create", "params": {
    "mode": "url", "message": "Please sign in.", "url": "https://sign-in.example/start?x=1", "elicitationId": "elicitation-1"}}


def text(value):
    return {"content": [{"type": "text", "text": value}]}


def said(answers):
    return text(json.dumps(answers, sort_keys=True))


def message(content):
    return {"role": "user", "content": content}


class Suite:
    """Mixed into the toolset, which has `tools`, `prompts`, `resources`, PIXEL and SOUND."""

    async def do_test_simple_text(self, arguments, context):
        return text("This is a simple text response for testing.")

    async def do_test_image_content(self, arguments, context):
        return {"content": [{"type": "image", "data": self.PIXEL, "mimeType": "image/png"}]}

    async def do_test_audio_content(self, arguments, context):
        return {"content": [{"type": "audio", "data": self.SOUND, "mimeType": "audio/wav"}]}

    async def do_test_embedded_resource(self, arguments, context):
        return {"content": [{"type": "resource", "resource": {
            "uri": "test://embedded-resource", "mimeType": "text/plain", "text": "This is an embedded resource content."}}]}

    async def do_test_multiple_content_types(self, arguments, context):
        return {"content": [
            {"type": "text", "text": "Multiple content types test:"},
            {"type": "image", "data": self.PIXEL, "mimeType": "image/png"},
            {"type": "resource", "resource": {
                "uri": "test://mixed-content-resource", "mimeType": "application/json", "text": '{"test":"data","value":123}'}},
        ]}

    async def do_test_error_handling(self, arguments, context):
        raise ToolFailure("This tool intentionally returns an error for testing")

    async def do_test_tool_with_progress(self, arguments, context):
        for done in (0, 50, 100):
            await context.progress(done, 100, None)
        return text("done")

    async def do_test_tool_with_logging(self, arguments, context):
        for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await context.log("info", line)
        return text("done")

    do_test_logging_tool = do_test_tool_with_logging

    async def do_test_reconnection(self, arguments, context):
        """A stream that begins before it ends; that it breaks off in between is left to the client."""
        await context.log("info", "Reconnection test started")
        return text("Reconnection test completed successfully")

    async def do_test_missing_capability(self, arguments, context):
        context.require(sampling("?"))
        return text("sampling is offered")

    # Asking back

    async def do_test_streaming_elicitation(self, arguments, context):
        await context.progress(1, 2, "asking")
        return said(await context.ask({"name": NAME}))

    async def do_test_sampling(self, arguments, context):
        answers = await context.ask({"answer": sampling(arguments["prompt"])})
        return text(f"LLM response: {answers['answer']['content']['text']}")

    async def do_test_sampling_with_tools(self, arguments, context):
        question = sampling("What is the weather?", tools=[{"name": "weather", "inputSchema": {"type": "object"}}], toolChoice={"mode": "auto"})
        return said(await context.ask({"answer": question}))

    async def do_test_elicitation(self, arguments, context):
        return said(await context.ask({"user": form(arguments["message"], {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"}})}))

    async def do_test_url_elicitation(self, arguments, context):
        question = {**ADDRESS, "params": dict(ADDRESS["params"])}
        if context.modern:
            # 2026-07-28 has no elicitationId: the retry says that the person is done.
            del question["params"]["elicitationId"]
        return said(await context.ask({"sign_in": question}))

    async def do_test_elicitation_sep1034_defaults(self, arguments, context):
        return said(await context.ask({"details": DEFAULTS}))

    async def do_test_elicitation_sep1330_enums(self, arguments, context):
        return said(await context.ask({"choices": ENUMS}))

    async def do_test_input_required_result_elicitation(self, arguments, context):
        answer = (await context.ask({"user_name": NAME}, keeps_state=False))["user_name"]
        return text(f"Hello, {answer['content']['name']}!" if answer["action"] == "accept" else f"Then not: {answer['action']}")

    async def do_test_input_required_result_sampling(self, arguments, context):
        return said(await context.ask({"capital_question": sampling("What is the capital of France?")}, keeps_state=False))

    async def do_test_input_required_result_list_roots(self, arguments, context):
        return said(await context.ask({"client_roots": ROOTS}, keeps_state=False))

    async def do_test_input_required_result_request_state(self, arguments, context):
        await context.ask({"confirm": form("Please confirm", {"ok": {"type": "boolean"}})})
        return text("state-ok")

    do_test_input_required_result_tampered_state = do_test_input_required_result_request_state

    async def do_test_input_required_result_multiple_inputs(self, arguments, context):
        return said(await context.ask({"user_name": NAME, "greeting": sampling("Generate a greeting", 50), "client_roots": ROOTS}))

    async def do_test_input_required_result_multi_round(self, arguments, context):
        first = await context.ask({"step1": form("Step 1: What is your name?", {"name": STRING})})
        second = await context.ask({"step2": form("Step 2: What is your favorite color?", {"color": STRING})})
        return said(first | second)

    async def do_test_input_required_result_capabilities(self, arguments, context):
        known = context.capabilities()
        questions = {"model": sampling("Who are you?")} if known.get("sampling") is not None else {}
        questions |= {"person": NAME} if known.get("elicitation") is not None else {}
        return said(await context.ask(questions) if questions else {})

    # Changes

    def toggle(self, entries, key, entry):
        rest = [e for e in entries if e[key] != entry[key]]
        return rest if len(rest) < len(entries) else [*entries, entry]

    async def do_test_trigger_tool_change(self, arguments, context):
        self.tools = self.toggle(self.tools, "name", tool("test_dynamic"))
        await context.changed("tools")
        return text("changed")

    async def do_test_trigger_prompt_change(self, arguments, context):
        self.prompts = self.toggle(self.prompts, "name", {"name": "test_dynamic", "description": "It comes and goes."})
        await context.changed("prompts")
        return text("changed")

    async def do_test_trigger_resource_change(self, arguments, context):
        self.resources = self.toggle(self.resources, "uri", {"uri": "test://dynamic", "name": "dynamic"})
        await context.changed("resources")
        return text("changed")

    async def do_test_touch_resource(self, arguments, context):
        await context.updated(arguments["uri"])
        return text("touched")

    # Prompts, resources, completion

    async def prompt_test_simple_prompt(self, arguments, context):
        return [message({"type": "text", "text": "This is a simple prompt for testing."})]

    async def prompt_test_prompt_with_arguments(self, arguments, context):
        return [message({"type": "text", "text": f"Prompt with arguments: arg1='{arguments['arg1']}', arg2='{arguments['arg2']}'"})]

    async def prompt_test_prompt_with_embedded_resource(self, arguments, context):
        resource = {"uri": arguments["resourceUri"], "mimeType": "text/plain", "text": "Embedded resource content for testing."}
        return [message({"type": "resource", "resource": resource}),
                message({"type": "text", "text": "Please process the embedded resource above."})]

    async def prompt_test_prompt_with_image(self, arguments, context):
        return [message({"type": "image", "data": self.PIXEL, "mimeType": "image/png"}),
                message({"type": "text", "text": "Please analyze the image above."})]

    async def prompt_test_input_required_result_prompt(self, arguments, context):
        question = form("What context should the prompt use?", {"context": STRING})
        answers = await context.ask({"user_context": question}, keeps_state=False)
        return [message({"type": "text", "text": json.dumps(answers["user_context"].get("content"))})]

    def complete(self, ref, argument, known):
        named = {"ref/prompt": ref.get("name"), "ref/resource": ref.get("uri")}[ref["type"]]
        self.journal.write(event="complete", ref=named, argument=argument, known=known)
        values = [value for value in VALUES if value.startswith(argument["value"])]
        return {"completion": {"values": values, "total": len(values), "hasMore": False}}
