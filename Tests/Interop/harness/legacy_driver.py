"""Runs in the environment of the older SDK: a client that takes its orders as JSON lines on standard input.

    legacy_driver.py [--answering] http URL | sse URL | stdio COMMAND ARGUMENT…
"""

import asyncio
import contextlib
import json
import os
import sys

import anyio
import mcp.types as types
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client


def say(**line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Tap:
    """A read stream that shows every message before the SDK sees it."""

    def __init__(self, stream):
        self.stream = stream

    def __getattr__(self, name):
        return getattr(self.stream, name)

    async def __aenter__(self):
        await self.stream.__aenter__()
        return self

    async def __aexit__(self, *details):
        return await self.stream.__aexit__(*details)

    def __aiter__(self):
        return self

    async def __anext__(self):
        item = await self.stream.__anext__()
        if not isinstance(item, Exception):
            say(message=item.message.model_dump(by_alias=True, mode="json", exclude_unset=True))
        return item


class WriteTap(Tap):
    async def send(self, item):
        message = item.message.model_dump(by_alias=True, mode="json", exclude_none=True)
        if "method" in message and "id" in message:
            say(sent={"id": message["id"], "method": message["method"]})
        await self.stream.send(item)


async def act(session, order):
    verb = order["do"]
    if verb == "list":
        params = types.PaginatedRequestParams(cursor=order.get("cursor"))
        result = await session.list_tools(params=params)
    elif verb == "call":
        async def progress(done, total, message):
            say(progress=order["id"], value=[done, total, message])

        result = await session.call_tool(
            order["name"], order.get("arguments"), progress_callback=progress if order.get("progress") else None)
    elif verb == "prompts":
        result = await session.list_prompts(params=types.PaginatedRequestParams(cursor=order["cursor"]))
    elif verb == "prompt":
        result = await session.get_prompt(order["name"], order.get("arguments"))
    elif verb == "resources":
        result = await session.list_resources(params=types.PaginatedRequestParams(cursor=order["cursor"]))
    elif verb == "templates":
        result = await session.list_resource_templates(params=types.PaginatedRequestParams(cursor=order["cursor"]))
    elif verb == "read":
        result = await session.read_resource(order["uri"])
    elif verb == "complete":
        kind = types.PromptReference if order["ref"]["type"] == "ref/prompt" else types.ResourceTemplateReference
        result = await session.complete(kind.model_validate(order["ref"]), order["argument"], order["known"])
    elif verb == "subscribe":
        result = await session.subscribe_resource(order["uri"])
    elif verb == "unsubscribe":
        result = await session.unsubscribe_resource(order["uri"])
    elif verb == "level":
        result = await session.set_logging_level(order["level"])
    elif verb == "task":
        created = await session.experimental.call_tool_as_task(order["name"], order.get("arguments") or {})
        result = created.task
        if order["then"] == "cancel":
            result = await session.experimental.cancel_task(result.taskId)
        elif order["then"] == "result":
            async for result in session.experimental.poll_task(result.taskId):
                # What it asks comes on the stream of its result.
                if result.status == "input_required":
                    break
            result = await session.experimental.get_task_result(result.taskId, types.CallToolResult)
    elif verb == "ping":
        result = await session.send_ping()
    else:
        raise ValueError(verb)
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)


async def serve(session):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    scopes = {}

    async def one(order):
        with anyio.CancelScope() as scope:
            scopes[order["id"]] = scope
            try:
                say(id=order["id"], result=await act(session, order))
            except McpError as error:
                say(id=order["id"], error={"code": error.error.code, "message": error.error.message, "data": error.error.data})
            except Exception as error:
                say(id=order["id"], broken=f"{type(error).__name__}: {error}")
        if scope.cancelled_caught:
            say(id=order["id"], broken="cancelled")

    async with anyio.create_task_group() as group:
        while line := await reader.readline():
            order = json.loads(line)
            if order["do"] == "cancel":
                # The older SDK leaves telling the server to its user.
                request = order["request"]
                await session.send_notification(types.ClientNotification(types.CancelledNotification(
                    params=types.CancelledNotificationParams(requestId=request, reason="test"))))
                scopes[order["target"]].cancel()
            else:
                group.start_soon(one, order)
        group.cancel_scope.cancel()


def callbacks():
    # The same answers as the other clients'.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from harness.answers import ANSWERS, answer

    async def elicit(context, params):
        return types.ElicitResult.model_validate(answer("elicitation/create", params.model_dump(by_alias=True, exclude_none=True)))

    async def sample(context, params):
        return types.CreateMessageResult.model_validate(ANSWERS["sampling/createMessage"])

    async def roots(context):
        return types.ListRootsResult.model_validate(ANSWERS["roots/list"])

    return {"elicitation_callback": elicit, "sampling_callback": sample, "list_roots_callback": roots,
            "sampling_capabilities": types.SamplingCapability(tools=types.SamplingToolsCapability())}


async def main():
    answering = "--answering" in sys.argv
    transport, *rest = [argument for argument in sys.argv[1:] if argument != "--answering"]
    async with contextlib.AsyncExitStack() as stack:
        if transport == "http":
            read, write, _ = await stack.enter_async_context(streamablehttp_client(rest[0]))
        elif transport == "sse":
            read, write = await stack.enter_async_context(sse_client(rest[0]))
        else:
            parameters = StdioServerParameters(command=rest[0], args=rest[1:], env=dict(os.environ))
            read, write = await stack.enter_async_context(stdio_client(parameters))

        async def heard(message):
            pass

        asked = callbacks() if answering else {}
        session = await stack.enter_async_context(ClientSession(Tap(read), WriteTap(write), message_handler=heard, **asked))
        answer = await session.initialize()
        say(ready=answer.model_dump(by_alias=True, mode="json", exclude_none=True))
        await serve(session)


asyncio.run(main())
