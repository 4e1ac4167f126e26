"""A test upstream on the current SDK (both eras): current.py [--kind plain|all|paged|conformance] stdio | http PORT."""

import argparse
import asyncio
import contextlib
import io
import socket
import sys
import warnings

import anyio
import mcp_types as types
import uvicorn
from mcp import MCPDeprecationWarning
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import (
    InMemorySubscriptionBus, ListenHandler, PromptsListChanged, ResourcesListChanged, ResourceUpdated, ToolsListChanged)
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from rounds import InputRequired, ProtocolError, Rounds
from toolset import Toolset
from traffic import Traffic

warnings.simplefilter("ignore", MCPDeprecationWarning)


def jsonable(model):
    return model.model_dump(by_alias=True, mode="json", exclude_none=True) if model is not None else {}


def complete(result, **more):
    """The members that the SDK fills in for its own models but not for plain dictionaries."""
    return {"resultType": "complete", **more, **result}


def listed(result):
    return complete(result, ttlMs=0, cacheScope="private")


CHANGES = {
    "tools": (ToolsListChanged, "send_tool_list_changed"), "prompts": (PromptsListChanged, "send_prompt_list_changed"),
    "resources": (ResourcesListChanged, "send_resource_list_changed"),
}
ANSWERS = {
    "elicitation/create": types.ElicitResult, "sampling/createMessage": types.CreateMessageResultWithTools, "roots/list": types.ListRootsResult,
}
QUESTIONS = {"elicitation/create": types.ElicitRequest, "sampling/createMessage": types.CreateMessageRequest, "roots/list": types.ListRootsRequest}


class Context(Rounds):
    def __init__(self, upstream, request, params):
        self.upstream, self.request, self.params = upstream, request, params
        self.modern = request.protocol_version >= "2026"

    async def progress(self, done, total, message):
        await self.request.session.report_progress(done, total, message)

    async def log(self, level, data):
        await self.request.session.send_log_message(level, data, "interop", related_request_id=self.request.request_id)

    def facts(self):
        http = self.request.request
        client = self.request.session.client_params
        return {
            "sdk": "current",
            "revision": self.request.protocol_version,
            "capabilities": jsonable(self.request.session.client_capabilities),
            "client": client.client_info.name if client and client.client_info else None,
            "headers": dict(http.headers) if http is not None else {},
        }

    def capabilities(self):
        return jsonable(self.request.session.client_capabilities)

    def responses(self):
        answers = getattr(self.params, "input_responses", None)
        return {key: jsonable(value) for key, value in answers.items()} if answers else None

    def state(self):
        return getattr(self.params, "request_state", None)

    async def send(self, question):
        method = question["method"]
        # The same channel as the call's: its stream over HTTP.
        answer = await self.request.session.send_request(
            QUESTIONS[method].model_validate(question), ANSWERS[method],
            metadata=ServerMessageMetadata(related_request_id=self.request.request_id))
        return jsonable(answer)

    async def insist(self, method, params):
        """Asks whatever the client offers; an error is an answer too."""
        # The SDK's own `list_roots` asks on the session's stream, which names no call.
        related = None if method == "roots/list" else ServerMessageMetadata(related_request_id=self.request.request_id)
        message = QUESTIONS[method].model_validate({"method": method, **({"params": params} if params else {})})
        try:
            return jsonable(await self.request.session.send_request(message, ANSWERS[method], metadata=related))
        except MCPError as error:
            return {"error": {"code": error.error.code, "message": error.error.message}}

    async def completed(self, elicitation):
        await self.request.session.send_elicit_complete(elicitation, related_request_id=self.request.request_id)

    async def changed(self, what):
        event, send = CHANGES[what]
        await self.upstream.announce(event(), send)

    async def updated(self, uri):
        await self.upstream.announce(ResourceUpdated(uri=uri), "send_resource_updated", uri)


class Upstream:
    def __init__(self, kind):
        self.toolset = Toolset(kind)
        self.traffic = Traffic()
        self.bus = InMemorySubscriptionBus()
        self.sessions = {}
        self.listen = ListenHandler(self.bus)
        self.server = Server(
            f"interop-{kind}", version="1.0.0", instructions="For tests only.",
            on_list_tools=self.list_tools, on_call_tool=self.call_tool,
            on_list_prompts=self.list_prompts, on_get_prompt=self.get_prompt,
            on_list_resources=self.list_resources, on_list_resource_templates=self.list_templates,
            on_read_resource=self.read_resource, on_set_logging_level=self.set_level, on_completion=self.complete,
            on_subscribe_resource=self.subscribe, on_unsubscribe_resource=self.unsubscribe,
            on_subscriptions_listen=self.subscriptions_listen,
        )
        options = NotificationOptions(tools_changed=True, prompts_changed=True, resources_changed=True)
        make = self.server.create_initialization_options
        # The HTTP manager asks for the options itself, without saying that lists change.
        self.server.create_initialization_options = lambda *args, **more: make(options)
        self.options = make(options)

    async def announce(self, event, send, uri=None):
        await self.bus.publish(event)
        for session, uris in list(self.sessions.values()):
            if uri is None or uri in uris:
                with contextlib.suppress(Exception):  # a session that is gone
                    await getattr(session, send)(*([uri] if uri else []))

    def remember(self, request):
        """The session of a legacy client, with the resources that it has subscribed to."""
        if request.protocol_version < "2026":
            return self.sessions.setdefault(id(request.session._connection), (request.session, set()))[1]
        return set()

    def journal(self, **entry):
        self.toolset.journal.write(**entry)

    async def attempt(self, request, params, make):
        self.remember(request)
        try:
            return await make(Context(self, request, params))
        except InputRequired as question:
            return question.result
        except ProtocolError as error:
            raise MCPError(error.code, error.message, error.data) from None

    async def list_tools(self, request, params):
        self.remember(request)
        self.journal(event="list", cursor=params.cursor if params else None, revision=request.protocol_version)
        return listed(self.toolset.page("tools", params.cursor if params else None))

    async def call_tool(self, request, params):
        async def make(context):
            return complete(await self.toolset.call(params.name, params.arguments, context))
        return await self.attempt(request, params, make)

    async def list_prompts(self, request, params):
        self.remember(request)
        return listed(self.toolset.page("prompts", params.cursor if params else None))

    async def get_prompt(self, request, params):
        async def make(context):
            return complete(await self.toolset.get_prompt(params.name, params.arguments, context))
        return await self.attempt(request, params, make)

    async def list_resources(self, request, params):
        self.remember(request)
        return listed(self.toolset.page("resources", params.cursor if params else None))

    async def list_templates(self, request, params):
        return listed(self.toolset.page("resourceTemplates", params.cursor if params else None))

    async def read_resource(self, request, params):
        async def make(context):
            return listed(self.toolset.read_resource(str(params.uri), context))
        return await self.attempt(request, params, make)

    async def subscribe(self, request, params):
        self.journal(event="subscribe", uri=str(params.uri))
        self.remember(request).add(str(params.uri))
        return types.EmptyResult()

    async def unsubscribe(self, request, params):
        self.journal(event="unsubscribe", uri=str(params.uri))
        self.remember(request).discard(str(params.uri))
        return types.EmptyResult()

    async def subscriptions_listen(self, request, params):
        self.journal(event="listen", uris=params.notifications.resource_subscriptions)
        return await self.listen(request, params)

    async def complete(self, request, params):
        known = params.context.arguments if params.context else None
        return complete(self.toolset.complete(jsonable(params.ref), jsonable(params.argument), known))

    async def set_level(self, request, params):
        return types.EmptyResult()

    async def run_stdio(self):
        received = self.traffic.lines(anyio.wrap_file(io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8")))
        async with stdio_server(stdin=received) as (read, write):
            await self.server.run(read, write, self.options)

    async def run_http(self, port):
        listener = socket.create_server(("127.0.0.1", port))
        print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
        config = uvicorn.Config(self.traffic.app(self.server.streamable_http_app()), log_level="warning", timeout_graceful_shutdown=0)
        await uvicorn.Server(config).serve(sockets=[listener])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", default="plain")
    parser.add_argument("transport", choices=["stdio", "http"])
    parser.add_argument("port", nargs="?", type=int, default=0)
    arguments = parser.parse_args()
    upstream = Upstream(arguments.kind)
    asyncio.run(upstream.run_stdio() if arguments.transport == "stdio" else upstream.run_http(arguments.port))


main()
