"""Tools whose calls become tasks of 2025-11-25, on the older SDK's own machinery."""

import asyncio
import contextlib

import mcp.types as types

STRING = {"type": "string"}
MODES = {"greet": None, "count": "optional", "confirm": "required", "wait": "optional", "break": "optional"}
FORM = {"type": "object", "properties": {"name": STRING}, "required": ["name"]}


def text(said):
    return types.CallToolResult(content=[types.TextContent(type="text", text=said)])


async def count(task):
    await task.update_status("half of it")
    return text("counted")


async def confirm(task):
    answer = await task.elicit("What is your name?", FORM)
    return text(f"{answer.action}: {(answer.content or {}).get('name')}")


async def wait(task):
    await asyncio.Event().wait()


async def broken(task):
    raise RuntimeError("it broke")


WORK = {"count": count, "confirm": confirm, "wait": wait, "break": broken}


class AskedTasks:
    """The handlers of a server that has tasks."""

    def __init__(self, server):
        self.server, self.host = server, None
        self.support = server.experimental.enable_tasks()
        self.run, self.support.run = self.support.run, self.running

    @contextlib.asynccontextmanager
    async def running(self):
        """The SDK ends all tasks with the first session that ends; here they are no session's."""
        if self.host is None:
            ready = asyncio.Event()
            self.host = asyncio.create_task(self.keep(ready))
            await ready.wait()
        yield

    async def keep(self, ready):
        async with self.run():
            ready.set()
            await asyncio.Event().wait()

    async def list_tools(self, request):
        tools = [types.Tool(name=name, inputSchema={"type": "object"}, execution=types.ToolExecution(taskSupport=mode) if mode else None)
                 for name, mode in MODES.items()]
        return types.ServerResult(types.ListToolsResult(tools=tools))

    async def call_tool(self, request):
        name, asked = request.params.name, self.server.request_context.experimental
        asked.validate_task_mode(MODES[name] or "forbidden")
        if asked.is_task:
            return types.ServerResult(await asked.run_task(WORK[name], model_immediate_response="it goes on"))
        return types.ServerResult(text(f"{name} at once"))
