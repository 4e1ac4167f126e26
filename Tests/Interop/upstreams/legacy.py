"""A test upstream on the SDK before the 2026-07-28 revision: legacy.py [--kind plain|paged] stdio | http PORT | sse PORT."""

import argparse
import asyncio
import contextlib
import socket
import sys

import mcp.types as types
import uvicorn
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.sse import SseServerTransport
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import McpError
from mcp.shared.message import ServerMessageMetadata
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route
from toolset import LIBRARIES, ProtocolError, Toolset


ASKED = {
    "elicitation/create": (types.ElicitRequest, types.ElicitResult),
    "sampling/createMessage": (types.CreateMessageRequest, types.CreateMessageResultWithTools),
    "roots/list": (types.ListRootsRequest, types.ListRootsResult),
}


class Context:
    def __init__(self, upstream, request):
        self.upstream, self.request = upstream, request

    async def progress(self, done, total, message):
        token = self.request.meta.progressToken if self.request.meta else None
        if token is not None:
            await self.request.session.send_progress_notification(token, done, total, message, str(self.request.request_id))

    async def log(self, level, data):
        await self.request.session.send_log_message(level, data, "interop", self.request.request_id)

    def facts(self):
        client = self.request.session.client_params
        http = self.request.request
        return {
            "sdk": "legacy",
            "revision": client.protocolVersion if client else None,
            "capabilities": client.capabilities.model_dump(exclude_none=True) if client else {},
            "client": client.clientInfo.name if client else None,
            "headers": dict(http.headers) if http is not None else {},
        }

    def input_responses(self):
        return None

    is_modern = False

    async def ask(self, method, params):
        request, result = ASKED[method]
        # The SDK's own `list_roots` asks on the session's stream, which names no call.
        related = None if method == "roots/list" else ServerMessageMetadata(related_request_id=self.request.request_id)
        message = types.ServerRequest(request.model_validate({"method": method, **({"params": params} if params else {})}))
        try:
            answer = await self.request.session.send_request(message, result, metadata=related)
        except McpError as error:
            return {"error": {"code": error.error.code, "message": error.error.message}}
        return answer.model_dump(by_alias=True, mode="json", exclude_none=True)

    async def completed(self, elicitation):
        await self.request.session.send_elicit_complete(elicitation, related_request_id=self.request.request_id)

    async def tools_changed(self):
        await self.upstream.announce("send_tool_list_changed")

    async def prompts_changed(self):
        await self.upstream.announce("send_prompt_list_changed")

    async def resources_changed(self):
        await self.upstream.announce("send_resource_list_changed")

    async def resource_updated(self, uri):
        await self.upstream.announce("send_resource_updated", uri)


class Upstream:
    def __init__(self, kind):
        self.toolset = Toolset(kind)
        self.sessions = []
        self.server = Server(f"interop-{kind}", version="1.0.0", instructions="For tests only.")
        handlers = self.server.request_handlers
        handlers[types.ListToolsRequest] = self.list_tools
        handlers[types.CallToolRequest] = self.call_tool
        handlers[types.ListPromptsRequest] = self.list_prompts
        handlers[types.GetPromptRequest] = self.get_prompt
        handlers[types.ListResourcesRequest] = self.list_resources
        handlers[types.ListResourceTemplatesRequest] = self.list_templates
        handlers[types.ReadResourceRequest] = self.read_resource
        handlers[types.SetLevelRequest] = self.set_level
        if kind in LIBRARIES:
            handlers[types.CompleteRequest] = self.complete
            handlers[types.SubscribeRequest] = self.subscribe
            handlers[types.UnsubscribeRequest] = self.unsubscribe
            # This SDK never says so itself.
            known = self.server.get_capabilities

            def capabilities(*args):
                found = known(*args)
                found.resources.subscribe = True
                return found

            self.server.get_capabilities = capabilities
        options = NotificationOptions(tools_changed=True, prompts_changed=True, resources_changed=True)
        make = self.server.create_initialization_options
        self.server.create_initialization_options = lambda *args, **more: make(options)
        self.options = make(options)

    async def announce(self, send, *values):
        for session in list(self.sessions):
            with contextlib.suppress(Exception):  # a session that is gone
                await getattr(session, send)(*values)

    def remember(self):
        session = self.server.request_context.session
        if session not in self.sessions:
            self.sessions.append(session)

    def answer(self, model, value):
        return types.ServerResult(model.model_validate(value))

    def attempt(self, model, make):
        try:
            return self.answer(model, make())
        except ProtocolError as error:
            raise McpError(types.ErrorData(code=error.code, message=error.message, data=error.data)) from None

    async def list_tools(self, request):
        self.remember()
        cursor = request.params.cursor if request.params else None
        client = self.server.request_context.session.client_params
        self.toolset.journal.write(event="list", cursor=cursor, revision=client.protocolVersion if client else None)
        return self.answer(types.ListToolsResult, self.toolset.list_tools(cursor))

    async def call_tool(self, request):
        self.remember()
        context = Context(self, self.server.request_context)
        try:
            result = await self.toolset.call(request.params.name, request.params.arguments, context)
        except ProtocolError as error:
            raise McpError(types.ErrorData(code=error.code, message=error.message, data=error.data)) from None
        return self.answer(types.CallToolResult, result)

    async def list_prompts(self, request):
        self.remember()
        return self.answer(types.ListPromptsResult, {"prompts": self.toolset.prompts})

    async def get_prompt(self, request):
        return self.attempt(types.GetPromptResult, lambda: self.toolset.get_prompt(request.params.name, request.params.arguments))

    async def list_resources(self, request):
        return self.answer(types.ListResourcesResult, {"resources": self.toolset.resources})

    async def list_templates(self, request):
        return self.answer(types.ListResourceTemplatesResult, {"resourceTemplates": self.toolset.templates})

    async def read_resource(self, request):
        return self.attempt(types.ReadResourceResult, lambda: self.toolset.read_resource(str(request.params.uri)))

    async def complete(self, request):
        params = request.params
        context = params.context.arguments if params.context else None
        return self.answer(types.CompleteResult, self.toolset.complete(
            params.ref.model_dump(mode="json", exclude_none=True), params.argument.model_dump(), context))

    async def subscribe(self, request):
        self.remember()
        self.toolset.journal.write(event="subscribe", uri=str(request.params.uri))
        return types.ServerResult(types.EmptyResult())

    async def unsubscribe(self, request):
        self.toolset.journal.write(event="unsubscribe", uri=str(request.params.uri))
        return types.ServerResult(types.EmptyResult())

    async def set_level(self, request):
        return types.ServerResult(types.EmptyResult())

    async def run_stdio(self):
        async with stdio_server() as (read, write):
            await self.server.run(read, write, self.options)

    def http_app(self):
        manager = StreamableHTTPSessionManager(app=self.server)

        @contextlib.asynccontextmanager
        async def lifespan(app):
            async with manager.run():
                yield

        return Starlette(routes=[Mount("/", app=manager.handle_request)], lifespan=lifespan), "/mcp"

    def sse_app(self):
        transport = SseServerTransport("/messages/")

        async def connect(request):
            async with transport.connect_sse(request.scope, request.receive, request._send) as (read, write):
                await self.server.run(read, write, self.options)
            return Response()

        return Starlette(routes=[Route("/sse", connect), Mount("/messages/", app=transport.handle_post_message)]), "/sse"

    async def run_http(self, app, path, port):
        listener = socket.create_server(("127.0.0.1", port))
        print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}{path}", file=sys.stderr, flush=True)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=0)
        await uvicorn.Server(config).serve(sockets=[listener])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", default="plain")
    parser.add_argument("transport", choices=["stdio", "http", "sse"])
    parser.add_argument("port", nargs="?", type=int, default=0)
    arguments = parser.parse_args()
    upstream = Upstream(arguments.kind)
    if arguments.transport == "stdio":
        asyncio.run(upstream.run_stdio())
    else:
        app, path = upstream.http_app() if arguments.transport == "http" else upstream.sse_app()
        asyncio.run(upstream.run_http(app, path, arguments.port))


main()
