"""What the test upstreams offer, as plain JSON values: independent of any SDK, so that both SDK versions serve the same."""

import asyncio
import base64
import json
import os
import signal

import suite
from rounds import ProtocolError, ToolFailure

PIXEL = base64.b64encode(bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000000020001e221bc330000000049454e44ae426082")).decode()
SOUND = base64.b64encode(b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0").decode()

UNICODE = "naïve ÅÄÖ – 漢字 🧑‍🚀 \u2028 \u0001 \\ \" / 𝄞"
BIG_BYTES = 64 * 1024
PAGE = 35
PAGED = 250


def text(value):
    return {"content": [{"type": "text", "text": value}]}


def tool(name, properties=None, required=(), description=None, **more):
    schema = {"type": "object", "properties": properties or {}}
    if required:
        schema["required"] = list(required)
    return {"name": name, "description": description or f"Test tool {name}.", "inputSchema": schema, **more}


STRING = {"type": "string"}
NUMBER = {"type": "number"}

TOOLS = [
    tool("echo", {"text": STRING}, ["text"], title="Echo",
         annotations={"title": "Echo", "readOnlyHint": True, "openWorldHint": False},
         icons=[{"src": "https://icons.example/echo.svg", "mimeType": "image/svg+xml", "sizes": ["any"]}],
         _meta={"example.com/weight": 12345678901234567890, "example.com/nested": {"list": [1, None, "x"]}}),
    tool("add", {"a": NUMBER, "b": NUMBER}, ["a", "b"],
         outputSchema={"type": "object", "properties": {"sum": NUMBER}, "required": ["sum"]}),
    tool("fail", {"message": STRING}),
    tool("slow", {"steps": {"type": "integer", "minimum": 1}}),
    tool("gated", {"gate": STRING}, ["gate"], description="Reports progress, then waits until `release` names its gate."),
    tool("release", {"gate": STRING}, ["gate"]),
    tool("flood", {"steps": {"type": "integer"}, "bytes": {"type": "integer"}}, description="Reports much progress before it answers."),
    tool("pictures"),
    tool("unicode", {"text": STRING}),
    tool("big", {"bytes": {"type": "integer"}}),
    tool("crash"),
    tool("whoami", description="Says what the upstream knows of the connection that the call came on."),
    tool("add_tool", {"name": STRING}, ["name"]),
    tool("remove_tool", {"name": STRING}, ["name"]),
    tool("open_pull", {
        "repo": {"type": "string", "pattern": "^[a-z]+/[a-z]+$"},
        "base": {"type": "string", "description": "The branch to merge into.", "x-order": 3},
        "draft": {"type": "boolean"},
        "token": {"type": "string"},
        "labels": {"type": "array", "items": {"$ref": "#/$defs/label"}, "maxItems": 5},
    }, ["repo", "base", "token"], annotations={"destructiveHint": True},
        outputSchema={"type": "object", "properties": {"received": {"type": "object"}}, "required": ["received"]}),
    tool("query", {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "limit": {"type": "integer", "x-mcp-header": "Limit"},
        "sql": STRING,
    }, ["region"]),
]
QUESTIONS = {
    "form": {"method": "elicitation/create", "params": {
        "mode": "form", "message": "What is your name?",
        "requestedSchema": {"type": "object", "properties": {"name": {"type": "string", "title": "Your\u202e name"}}, "required": ["name"]}}},
    "link": {"method": "elicitation/create", "params": {
        "mode": "url", "message": "Please look here.", "url": "https://example.com/look?at=it", "elicitationId": "look-1"}},
    "sample": {"method": "sampling/createMessage", "params": {
        "messages": [{"role": "user", "content": {"type": "text", "text": "What is the capital of France?\u001b[1m"}}], "maxTokens": 100}},
    "tools": {"method": "sampling/createMessage", "params": {
        "messages": [{"role": "user", "content": {"type": "text", "text": "How warm is it?"}}], "maxTokens": 100,
        "tools": [{"name": "thermometer", "inputSchema": {"type": "object"}}], "toolChoice": {"mode": "auto"}}},
    "roots": {"method": "roots/list"},
}

TOOLS[-2]["inputSchema"]["$defs"] = {"label": {"type": "string", "enum": ["bug", "feature"]}}
TOOLS[-2]["inputSchema"]["additionalProperties"] = False

# Apart, so that those above keep their places.
TOOLS.append(tool("ask", {
    "what": {"type": "array", "items": {"enum": list(QUESTIONS)}}, "rounds": {"type": "integer"}, "message": STRING,
}, ["what"], description="Asks its client these questions, all of them in each round, and tells what was answered in the last one."))

PROMPTS = [
    {"name": "greet", "description": "Greets somebody.", "arguments": [{"name": "who", "required": True}]},
    {"name": "plain", "title": "Plain", "description": "Says something."},
]

# Two upstreams that have the same and different things, and say when they change.
LIBRARY_TOOLS = [
    tool("touch", {"uri": STRING}, ["uri"], description="Says that a resource has changed."),
    tool("add_prompt", {"name": STRING}, ["name"]),
    tool("add_resource", {"uri": STRING}, ["uri"]),
    tool("whoami"),
]
ICONS = [{"src": "https://example.com/icon.png", "mimeType": "image/png", "sizes": ["48x48"]}]
LIBRARIES = {
    "library": {
        "prompts": [
            {"name": "greet", "title": "Greeting", "description": "Greets somebody.", "icons": ICONS, "_meta": {"example.com/n": 1},
             "arguments": [{"name": "who", "required": True}, {"name": "how"}]},
            {"name": "summary"},
        ],
        "resources": [
            {"uri": "lib://shared", "name": "shared", "mimeType": "text/plain", "annotations": {"audience": ["user"], "priority": 0.5}},
            {"uri": "lib://one", "name": "one", "mimeType": "text/plain", "icons": ICONS, "size": 3},
            {"uri": "ui://widget/view.html", "name": "view", "mimeType": "text/html;profile=mcp-app"},
        ],
        "templates": [{"uriTemplate": "lib://book/{id}", "name": "book"}],
    },
    "archive": {
        "prompts": [{"name": "greet"}],
        "resources": [
            {"uri": "lib://shared", "name": "shared too", "mimeType": "text/plain"},
            {"uri": "arc://two", "name": "two", "mimeType": "text/plain"},
        ],
        "templates": [{"uriTemplate": "arc://{+path}", "name": "file"}],
    },
}


class Journal:
    """One JSON line for each thing that reached the upstream, in the file that INTEROP_JOURNAL names."""

    def __init__(self):
        self.path = os.environ.get("INTEROP_JOURNAL")

    def write(self, **entry):
        if self.path:
            line = json.dumps({"pid": os.getpid(), **entry}) + "\n"
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(line)


class Toolset(suite.Suite):
    """One upstream's state and behaviour. `kind`: plain | conformance (what the suite wants) | all | paged | one of the libraries."""

    PIXEL, SOUND = PIXEL, SOUND

    def __init__(self, kind="plain"):
        self.kind = kind
        self.journal = Journal()
        self.gates = {}
        self.prompts, self.resources, self.templates = [*PROMPTS, *suite.PROMPTS], list(suite.RESOURCES), list(suite.TEMPLATES)
        if kind == "paged":
            self.tools = [tool(f"tool_{n:03}", {"n": NUMBER}) for n in range(PAGED)]
            self.prompts = [{"name": f"prompt_{n:03}"} for n in range(PAGED)]
            self.resources = [{"uri": f"test://page/{n:03}", "name": f"resource_{n:03}"} for n in range(PAGED)]
            self.templates = [{"uriTemplate": f"test://template/{n:03}/{{x}}", "name": f"template_{n:03}"} for n in range(PAGED)]
        elif kind in LIBRARIES:
            self.tools = [dict(t) for t in LIBRARY_TOOLS]
            self.prompts, self.resources, self.templates = (list(LIBRARIES[kind][member]) for member in ("prompts", "resources", "templates"))
        else:
            self.tools = [dict(t) for t in (suite.TOOLS if kind != "plain" else []) + (TOOLS if kind != "conformance" else [])]

    # Lists

    def page(self, member, cursor):
        """A `…/list` result: all of it, or with kind `paged` the page at the cursor."""
        entries = {"resourceTemplates": self.templates}.get(member) or getattr(self, member)
        if self.kind in ("plain", "conformance"):
            return {member: entries}
        start = int(cursor) if cursor else 0
        answer = {member: entries[start:start + PAGE]}
        if start + PAGE < len(entries):
            answer["nextCursor"] = str(start + PAGE)
        return answer

    async def get_prompt(self, name, arguments, context):
        if name not in [p["name"] for p in self.prompts]:
            raise ProtocolError(-32602, f"Unknown prompt: {name}")
        self.journal.write(event="prompt", prompt=name, arguments=arguments)
        behaviour = getattr(self, "prompt_" + name, None)
        if behaviour:
            try:
                return {"messages": await behaviour(arguments or {}, context)}
            except KeyError as missing:
                raise ProtocolError(-32602, f"Missing argument {missing}") from None
        words = f"Greet {arguments['who']}." if arguments and "who" in arguments else "Say something plain."
        return {"messages": [{"role": "user", "content": {"type": "text", "text": words}}]}

    def read_resource(self, uri, context):
        self.journal.write(event="read", uri=uri)
        if self.kind in LIBRARIES and not uri.endswith("missing"):
            return {"contents": [{"uri": uri, "mimeType": "text/plain", "text": f"{self.kind}: {uri}", "_meta": {"example.com/n": 1}}]}
        known = {
            "test://static-text": {"mimeType": "text/plain", "text": "static text"},
            "test://static-binary": {"mimeType": "image/png", "blob": PIXEL},
            "test://watched-resource": {"mimeType": "text/plain", "text": "watched"},
            suite.PANEL: {"mimeType": "text/html;profile=mcp-app", "text": "<!doctype html><title>panel</title>", "_meta": {"ui": {"csp": {}}}},
        }.get(uri)
        parts = uri.removeprefix("test://").split("/")
        if parts[0] == "item" and len(parts) == 2:
            known = {"mimeType": "text/plain", "text": f"item {parts[1]}"}
        elif parts[0] == "template" and parts[2:] == ["data"]:
            known = {"mimeType": "application/json", "text": json.dumps({"id": parts[1], "templateTest": True, "data": f"Data for ID: {parts[1]}"})}
        elif parts[0] == "page":
            known = {"text": uri}
        if known is None:
            raise ProtocolError(-32602 if context.modern else -32002, "Resource not found", {"uri": uri})
        return {"contents": [{"uri": uri, **known}]}

    def complete(self, ref, argument, context):
        if self.kind not in LIBRARIES:
            return super().complete(ref, argument, context)
        self.journal.write(event="complete", ref=ref, argument=argument, context=context)
        values = [f"{self.kind} {argument['value']} {key}={value}" for key, value in (context or {"none": ""}).items()]
        return {"completion": {"values": values, "total": len(values), "hasMore": False}}

    # Calls

    async def call(self, name, arguments, context):
        self.journal.write(event="call", tool=name, arguments=arguments)
        if name not in [t["name"] for t in self.tools]:
            raise ProtocolError(-32602, f"Unknown tool: {name}")
        behaviour = getattr(self, "do_" + name, None)
        if behaviour is None:
            return text(f"{name} {json.dumps(arguments, sort_keys=True)}")
        try:
            return await behaviour(arguments or {}, context)
        except asyncio.CancelledError:
            self.journal.write(event="cancelled", tool=name, arguments=arguments)
            raise
        except KeyError as missing:
            return {**text(f"missing argument {missing}"), "isError": True}
        except ToolFailure as failure:
            return {**text(str(failure)), "isError": True}

    async def do_echo(self, arguments, context):
        return {**text(arguments["text"]), "_meta": {"example.com/echoed": True}}

    async def do_add(self, arguments, context):
        total = arguments["a"] + arguments["b"]
        return {**text(str(total)), "structuredContent": {"sum": total}}

    async def do_fail(self, arguments, context):
        return {**text(arguments.get("message", "it failed")), "isError": True}

    async def do_slow(self, arguments, context):
        steps = arguments.get("steps", 3)
        for step in range(1, steps + 1):
            await context.progress(step, steps, f"step {step}")
            await context.log("info", {"step": step})
        return text(f"{steps} steps")

    async def do_gated(self, arguments, context):
        # Where no second connection leads to this process, a signal opens what is shut.
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.open_gates)
        gate = self.gates.setdefault(arguments["gate"], asyncio.Event())
        await context.progress(1, 2, "waiting")
        self.journal.write(event="waiting", gate=arguments["gate"])
        await gate.wait()
        await context.progress(2, 2, "released")
        return text("released")

    def open_gates(self):
        for gate in self.gates.values():
            gate.set()

    async def do_release(self, arguments, context):
        self.gates.setdefault(arguments["gate"], asyncio.Event()).set()
        return text("ok")

    async def do_flood(self, arguments, context):
        steps = arguments.get("steps", 1000)
        for step in range(1, steps + 1):
            await context.progress(step, steps, "x" * arguments.get("bytes", 10_000))
        return text("flooded")

    async def do_pictures(self, arguments, context):
        return {"content": [
            {"type": "text", "text": "a pixel", "annotations": {"audience": ["user"], "priority": 0.5}},
            {"type": "image", "data": PIXEL, "mimeType": "image/png"},
            {"type": "audio", "data": SOUND, "mimeType": "audio/wav"},
            {"type": "resource", "resource": {"uri": "test://static-text", "mimeType": "text/plain", "text": "static text"}},
        ]}

    async def do_unicode(self, arguments, context):
        return text(UNICODE + arguments.get("text", ""))

    async def do_big(self, arguments, context):
        return text("x" * arguments.get("bytes", BIG_BYTES))

    async def do_crash(self, arguments, context):
        os._exit(3)

    async def do_whoami(self, arguments, context):
        return {**text("see structuredContent"), "structuredContent": {"pid": os.getpid(), **context.facts()}}

    async def do_add_tool(self, arguments, context):
        self.tools.append(tool(arguments["name"], {"n": NUMBER}))
        await context.changed("tools")
        return text("added")

    async def do_remove_tool(self, arguments, context):
        self.tools = [t for t in self.tools if t["name"] != arguments["name"]]
        await context.changed("tools")
        return text("removed")

    async def do_touch(self, arguments, context):
        await context.updated(arguments["uri"])
        return text("touched")

    async def do_add_prompt(self, arguments, context):
        self.prompts.append({"name": arguments["name"]})
        await context.changed("prompts")
        return text("added")

    async def do_add_resource(self, arguments, context):
        self.resources.append({"uri": arguments["uri"], "name": "later"})
        await context.changed("resources")
        return text("added")

    async def do_open_pull(self, arguments, context):
        return {**text("opened"), "structuredContent": {"received": arguments}}

    async def do_query(self, arguments, context):
        facts = context.facts()
        headers = {k: v for k, v in facts.get("headers", {}).items() if k.startswith("mcp-param-")}
        return {**text("queried"), "structuredContent": {"received": arguments, "headers": headers}}

    async def do_ask(self, arguments, context):
        rounds = arguments.get("rounds", 1)
        questions = json.loads(json.dumps({kind: QUESTIONS[kind] for kind in arguments["what"]}))
        if "message" in arguments:
            for question in questions.values():
                if "message" in question.get("params", {}):
                    question["params"]["message"] = arguments["message"]
        if context.modern:
            return await self.ask_by_rounds(questions, rounds, context)
        for number in range(1, rounds + 1):
            self.journal.write(event="asking", round=number, what=arguments["what"])
            await context.progress(number, rounds, "asking")
            answers = await asyncio.gather(*(context.insist(q["method"], q.get("params")) for q in questions.values()))
            answers = dict(zip(questions, answers, strict=True))
            if "link" in answers:
                await context.completed(QUESTIONS["link"]["params"]["elicitationId"])
            self.journal.write(event="answered", round=number, answers=answers)
        return {**text("answered"), "structuredContent": {"answers": answers}}

    async def ask_by_rounds(self, questions, rounds, context):
        # Links have no ids here.
        for question in questions.values():
            question.get("params", {}).pop("elicitationId", None)
        state, answers = context.state(), context.responses()
        number = int(state.removeprefix("round-")) if state else 0
        if state:
            self.journal.write(event="answered", round=number, answers=answers, state=state)
        if number == rounds:
            return {**text("answered"), "structuredContent": {"answers": answers}}
        self.journal.write(event="asking", round=number + 1, what=list(questions))
        return {"resultType": "input_required", "requestState": f"round-{number + 1}", "inputRequests": questions}
