"""A test upstream on the SDK before the 2026-07-28 revision: legacy.py [--kind plain|all|paged|conformance|tasks] stdio | http PORT | sse PORT."""

import argparse
import asyncio
import contextlib
import io
import socket
import sys

import anyio
import mcp.types as types
import uvicorn
from asked_tasks import AskedTasks
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.sse import SseServerTransport
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import McpError
from mcp.shared.message import ServerMessageMetadata
from rounds import ProtocolError, Rounds
from pydantic import AnyUrl
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route
from toolset import Toolset
from traffic import Traffic


ANSWERS = {
    "elicitation/create": types.ElicitResult, "sampling/createMessage": types.CreateMessageResultWithTools, "roots/list": types.ListRootsResult,
}


class Context(Rounds):
    modern = False

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

    def capabilities(self):
        return self.facts()["capabilities"]

    async def send(self, question):
        # On the stream of the call that it belongs to.
        answer = await self.request.session.send_request(
            types.ServerRequest.model_validate(question), ANSWERS[question["method"]],
            metadata=ServerMessageMetadata(related_request_id=self.request.request_id))
        return answer.model_dump(by_alias=True, mode="json", exclude_none=True)

    async def insist(self, method, params):
        """Asks whatever the client offers; an error is an answer too."""
        # The SDK's own `list_roots` asks on the session's stream, which names no call.
        related = None if method == "roots/list" else ServerMessageMetadata(related_request_id=self.request.request_id)
        message = types.ServerRequest.model_validate({"method": method, **({"params": params} if params else {})})
        try:
            answer = await self.request.session.send_request(message, ANSWERS[method], metadata=related)
        except McpError as error:
            return {"error": {"code": error.error.code, "message": error.error.message}}
        return answer.model_dump(by_alias=True, mode="json", exclude_none=True)

    async def completed(self, elicitation):
        await self.request.session.send_elicit_complete(elicitation, related_request_id=self.request.request_id)

    async def changed(self, what):
        await self.upstream.announce(f"send_{what.removesuffix('s')}_list_changed")

    async def updated(self, uri):
        await self.upstream.announce("send_resource_updated", uri)


class Upstream:
    def __init__(self, kind):
        self.toolset = Toolset(kind)
        self.traffic = Traffic()
        self.sessions = {}
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
        handlers[types.CompleteRequest] = self.complete
        handlers[types.SubscribeRequest] = self.subscribe
        handlers[types.UnsubscribeRequest] = self.unsubscribe
        if kind == "tasks":
            tasks = AskedTasks(self.server)
            handlers[types.ListToolsRequest], handlers[types.CallToolRequest] = tasks.list_tools, tasks.call_tool
        options = NotificationOptions(tools_changed=True, prompts_changed=True, resources_changed=True)
        self.options = self.server.create_initialization_options(options)
        # The SDK never says this by itself.
        self.options.capabilities.resources.subscribe = True
        self.server.create_initialization_options = lambda *args, **more: self.options

    async def announce(self, send, uri=None):
        for session, uris in list(self.sessions.values()):
            if uri is None or any(uri.startswith(known) for known in uris):
                with contextlib.suppress(Exception):  # a session that is gone
                    await getattr(session, send)(*([AnyUrl(uri)] if uri else []))

    def remember(self):
        """The session, with the resources that it has subscribed to."""
        session = self.server.request_context.session
        return self.sessions.setdefault(id(session), (session, set()))[1]

    async def attempt(self, model, make):
        self.remember()
        try:
            return types.ServerResult(model.model_validate(await make(Context(self, self.server.request_context))))
        except ProtocolError as error:
            raise McpError(types.ErrorData(code=error.code, message=error.message, data=error.data)) from None

    def page(self, model, member, request):
        self.remember()
        cursor = request.params.cursor if request.params else None
        if member == "tools":
            client = self.server.request_context.session.client_params
            self.toolset.journal.write(event="list", cursor=cursor, revision=client.protocolVersion if client else None)
        return types.ServerResult(model.model_validate(self.toolset.page(member, cursor)))

    async def list_tools(self, request):
        return self.page(types.ListToolsResult, "tools", request)

    async def call_tool(self, request):
        return await self.attempt(
            types.CallToolResult, lambda context: self.toolset.call(request.params.name, request.params.arguments, context))

    async def list_prompts(self, request):
        return self.page(types.ListPromptsResult, "prompts", request)

    async def get_prompt(self, request):
        return await self.attempt(
            types.GetPromptResult, lambda context: self.toolset.get_prompt(request.params.name, request.params.arguments, context))

    async def list_resources(self, request):
        return self.page(types.ListResourcesResult, "resources", request)

    async def list_templates(self, request):
        return self.page(types.ListResourceTemplatesResult, "resourceTemplates", request)

    async def read_resource(self, request):
        async def make(context):
            return self.toolset.read_resource(str(request.params.uri), context)
        return await self.attempt(types.ReadResourceResult, make)

    async def subscribe(self, request):
        self.toolset.journal.write(event="subscribe", uri=str(request.params.uri))
        self.remember().add(str(request.params.uri))
        return types.ServerResult(types.EmptyResult())

    async def unsubscribe(self, request):
        self.toolset.journal.write(event="unsubscribe", uri=str(request.params.uri))
        self.remember().discard(str(request.params.uri))
        return types.ServerResult(types.EmptyResult())

    async def complete(self, request):
        params = request.params
        known = params.context.arguments if params.context else None
        result = self.toolset.complete(params.ref.model_dump(mode="json"), params.argument.model_dump(mode="json"), known)
        return types.ServerResult(types.CompleteResult.model_validate(result))

    async def set_level(self, request):
        return types.ServerResult(types.EmptyResult())

    async def run_stdio(self):
        received = self.traffic.lines(anyio.wrap_file(io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8")))
        async with stdio_server(stdin=received) as (read, write):
            await self.server.run(read, write, self.options)

    def http_app(self):
        local = ["127.0.0.1:*", "localhost:*"]
        security = TransportSecuritySettings(allowed_hosts=local, allowed_origins=[f"http://{host}" for host in local])
        manager = StreamableHTTPSessionManager(app=self.server, security_settings=security)

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
        config = uvicorn.Config(self.traffic.app(app), log_level="warning", timeout_graceful_shutdown=0)
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
