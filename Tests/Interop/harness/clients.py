"""The official SDK as a client, current and older, behind one small face; every message it receives is checked."""

import contextlib
import json
import os

import anyio
import mcp_types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from . import byhand, schemas
from .answers import ANSWERS, answer
from .deadline import PATIENCE
from .gateway import BINARY
from .process import MARK
from .upstream import PYTHON

# name: (sdk, transport, mode)
KINDS = {
    "http-modern": ("current", "http", "auto"),
    "http-legacy": ("current", "http", "legacy"),
    "stdio-modern": ("current", "stdio", "auto"),
    "stdio-legacy": ("current", "stdio", "legacy"),
    "old-http": ("legacy", "http", None),
    "old-sse": ("legacy", "sse", None),
    "old-stdio": ("legacy", "stdio", None),
}

# What the SDKs don't speak any more, or never together: (revision, transport)
BY_HAND = {
    "2024-11-05-sse": ("2024-11-05", "sse"),
    "2024-11-05-stdio": ("2024-11-05", "stdio"),
    "2025-03-26-http": ("2025-03-26", "http"),
    "2025-03-26-stdio": ("2025-03-26", "stdio"),
    "2025-06-18-http": ("2025-06-18", "http"),
    "2025-06-18-stdio": ("2025-06-18", "stdio"),
}

Refused = byhand.Refused


class Target:
    """Where a client connects: a virtual server of a gateway, or an upstream directly."""

    def __init__(self, urls, command=None, environment=None):
        self.urls, self.command, self.environment = urls, command, environment or {}

    @classmethod
    def server(cls, gateway, name):
        configuration = gateway.configuration
        command = [BINARY, "stdio", "--config", str(configuration.path), "--server", name]
        # A state of its own: two gateways at work on one folder is not what is tested here.
        environment = {**configuration.environment, MARK: gateway.process.mark if gateway.process else ""}
        return cls({"http": gateway.url(name), "sse": gateway.sse_url(name)}, command, environment)

    @classmethod
    def upstream(cls, upstream):
        if upstream.transport == "stdio":
            return cls({}, upstream.command, upstream.environment)
        return cls({upstream.transport: upstream.url})


class Traffic:
    """All that was received, each message checked once the revision is known."""

    def __init__(self):
        self.revision = None
        self.methods = {}
        self.messages = []
        self.unchecked = []
        self.mistakes = []
        self.changed = anyio.Event()

    def sent(self, message):
        if "method" in message and "id" in message:
            self.methods[message["id"]] = message["method"]

    def received(self, message):
        self.messages.append(message)
        self.unchecked.append(message)
        if self.revision:
            self.check()
        self.changed.set()
        self.changed = anyio.Event()

    def check(self):
        while self.unchecked:
            message = self.unchecked.pop(0)
            method = None if "method" in message else self.methods.get(message.get("id"))
            # A probe of the other era is answered before there is a revision.
            revision = schemas.MODERN if method == "server/discover" else self.revision
            if method == "server/discover" and "error" in message and self.revision != schemas.MODERN:
                continue
            try:
                schemas.check(message, revision, method)
            except AssertionError as mistake:
                self.mistakes.append(str(mistake))

    async def until(self, wanted, within=PATIENCE):
        """Waits for a message that is as wanted."""
        with anyio.fail_after(within):
            while True:
                changed = self.changed
                for message in self.messages:
                    if wanted(message):
                        return message
                await changed.wait()

    @property
    def questions(self):
        """What the server has asked, in the way of either era, as `{method, params}`."""
        found = []
        for message in self.messages:
            if "method" in message and "id" in message:
                found.append(message)
            result = message.get("result")
            if isinstance(result, dict) and result.get("resultType") == "input_required":
                found += (result.get("inputRequests") or {}).values()
        return [{"method": q["method"], "params": q.get("params", {})} for q in found if q["method"] != "ping"]

    @property
    def asked(self):
        return [(question["method"], question["params"]) for question in self.questions]

    def notified(self, method):
        return [message.get("params", {}) for message in self.messages if message.get("method") == method]

    async def until_notified(self, method, count=1):
        def enough(message):
            return message.get("method") == method and \
                sum(1 for m in self.messages if m.get("method") == method) >= count
        return await self.until(enough)


class Tapped:
    """A transport of the current SDK that shows its traffic."""

    def __init__(self, transport, traffic):
        self.transport, self.traffic = transport, traffic

    async def __aenter__(self):
        read, write = await self.transport.__aenter__()
        return TappedRead(read, self.traffic), TappedWrite(write, self.traffic)

    async def __aexit__(self, *details):
        return await self.transport.__aexit__(*details)


class TappedRead:
    def __init__(self, stream, traffic):
        self.stream, self.traffic = stream, traffic

    def __getattr__(self, name):
        return getattr(self.stream, name)

    async def __aenter__(self):
        await self.stream.__aenter__()
        return self

    async def __aexit__(self, *details):
        return await self.stream.__aexit__(*details)

    def _show(self, item):
        if not isinstance(item, Exception):
            self.traffic.received(item.message.model_dump(by_alias=True, mode="json", exclude_unset=True))
        return item

    async def receive(self):
        return self._show(await self.stream.receive())

    def __aiter__(self):
        return self

    async def __anext__(self):
        return self._show(await self.stream.__anext__())


class TappedWrite(TappedRead):
    async def send(self, item):
        self.traffic.sent(item.message.model_dump(by_alias=True, mode="json", exclude_none=True))
        await self.stream.send(item)


class Current:
    """The current SDK's client, in this process."""

    def __init__(self, client, traffic):
        self.client, self.traffic = client, traffic
        self.revision = client.protocol_version
        self.instructions = client.instructions
        self.capabilities = client.server_capabilities.model_dump(by_alias=True, exclude_none=True)

    @property
    def asked(self):
        return self.traffic.asked

    async def _ask(self, make):
        try:
            result = await make()
        except MCPError as error:
            raise Refused(error.error.code, error.error.message, error.error.data) from error
        return result.model_dump(by_alias=True, mode="json", exclude_none=True)

    async def page(self, cursor=None):
        return await self._ask(lambda: self.client.list_tools(cursor=cursor, cache_mode="bypass"))

    async def call(self, name, arguments=None, on_progress=None, meta=None):
        async def progress(done, total, message):
            await on_progress(done, total, message)

        return await self._ask(lambda: self.client.call_tool(
            name, arguments, progress_callback=progress if on_progress else None, meta=meta))

    async def prompts(self, cursor=None):
        return await self._ask(lambda: self.client.list_prompts(cursor=cursor, cache_mode="bypass"))

    async def prompt(self, name, arguments=None):
        return await self._ask(lambda: self.client.get_prompt(name, arguments))

    async def resources(self, cursor=None):
        return await self._ask(lambda: self.client.list_resources(cursor=cursor, cache_mode="bypass"))

    async def templates(self, cursor=None):
        return await self._ask(lambda: self.client.list_resource_templates(cursor=cursor, cache_mode="bypass"))

    async def read(self, uri):
        return await self._ask(lambda: self.client.read_resource(uri, cache_mode="bypass"))

    async def complete(self, ref, argument, known=None):
        kind = mcp_types.PromptReference if ref["type"] == "ref/prompt" else mcp_types.ResourceTemplateReference
        return await self._ask(lambda: self.client.complete(kind.model_validate(ref), argument, known))

    async def subscribe(self, uri):
        return await self._ask(lambda: self.client.subscribe_resource(uri))

    async def unsubscribe(self, uri):
        return await self._ask(lambda: self.client.unsubscribe_resource(uri))

    async def level(self, level):
        """Asks for log messages; a modern client has said so when it connected."""
        if self.revision != schemas.MODERN:
            await self._ask(lambda: self.client.set_logging_level(level))

    @contextlib.asynccontextmanager
    async def watching(self, what="tools", uri=None):
        """Yields a function that waits for the next change, in whatever way the revision has for it: of a list, or of the resource `uri`."""
        if self.revision == schemas.MODERN:
            wanted = {"resource_subscriptions": [uri]} if uri else {f"{what}_list_changed": True}
            async with self.client.listen(**wanted) as subscription:
                events = subscription.__aiter__()

                async def changed():
                    with anyio.fail_after(PATIENCE):
                        await events.__anext__()

                yield changed
        else:
            async with byhand.watching(self, what, uri) as changed:
                yield changed


class Older:
    """The older SDK's client, in a process of its own because the two cannot share one."""

    def __init__(self, process, traffic):
        self.process, self.traffic = process, traffic
        self.waiting, self.progress = {}, {}
        self.last = 0
        self.ready = anyio.Event()
        self.opening = None

    @property
    def asked(self):
        return self.traffic.asked

    async def read_lines(self):
        buffered = b""
        async for chunk in self.process.stdout:
            *lines, buffered = (buffered + chunk).split(b"\n")
            for line in lines:
                await self._take(json.loads(line))
        self.opening = self.opening or {"broken": "the older client ended"}
        self.ready.set()
        for order in self.waiting.values():
            order["answer"] = {"broken": "the older client ended"}
            order["done"].set()

    async def _take(self, line):
        if "sent" in line:
            self.traffic.sent(line["sent"])
        elif "message" in line:
            if self.traffic.revision is None and "protocolVersion" in line["message"].get("result", {}):
                self.traffic.revision = line["message"]["result"]["protocolVersion"]
            self.traffic.received(line["message"])
        elif "ready" in line:
            self.opening = line["ready"]
            self.revision = self.opening["protocolVersion"]
            self.instructions = self.opening.get("instructions")
            self.capabilities = self.opening["capabilities"]
            self.ready.set()
        elif "progress" in line:
            await self.progress[line["progress"]](*line["value"])
        else:
            order = self.waiting.pop(line["id"])
            order["answer"] = line
            order["done"].set()

    async def _order(self, on_progress=None, **order):
        self.last += 1
        number = self.last
        pending = self.waiting[number] = {"done": anyio.Event()}
        if on_progress:
            self.progress[number] = on_progress
            order["progress"] = True
        await self.process.stdin.send(json.dumps({"id": number, **order}).encode() + b"\n")
        try:
            await pending["done"].wait()
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                calls = [i for i, method in self.traffic.methods.items() if method == "tools/call"]
                await self.process.stdin.send(json.dumps(
                    {"id": 0, "do": "cancel", "target": number, "request": calls[-1]}).encode() + b"\n")
            raise
        answer = pending["answer"]
        if "error" in answer:
            raise Refused(**answer["error"])
        if "broken" in answer:
            raise Refused(None, answer["broken"])
        return answer["result"]

    async def page(self, cursor=None):
        return await self._order(do="list", cursor=cursor)

    async def call(self, name, arguments=None, on_progress=None, meta=None):
        return await self._order(do="call", name=name, arguments=arguments, on_progress=on_progress)

    async def task(self, name, then="result"):
        """A call as a task, and what came of it: its result, or its state after it was cancelled."""
        return await self._order(do="task", name=name, then=then)

    async def prompts(self, cursor=None):
        return await self._order(do="prompts", cursor=cursor)

    async def prompt(self, name, arguments=None):
        return await self._order(do="prompt", name=name, arguments=arguments)

    async def resources(self, cursor=None):
        return await self._order(do="resources", cursor=cursor)

    async def templates(self, cursor=None):
        return await self._order(do="templates", cursor=cursor)

    async def read(self, uri):
        return await self._order(do="read", uri=uri)

    async def complete(self, ref, argument, known=None):
        return await self._order(do="complete", ref=ref, argument=argument, known=known)

    async def subscribe(self, uri):
        return await self._order(do="subscribe", uri=uri)

    async def unsubscribe(self, uri):
        return await self._order(do="unsubscribe", uri=uri)

    async def level(self, level):
        return await self._order(do="level", level=level)

    def watching(self, what="tools", uri=None):
        return byhand.watching(self, what, uri)


async def list_tools(session, including=()):
    """All pages, as the wire has them; asked again until the named tools are there, since a child that starts slowly is not listed at first."""
    with anyio.fail_after(PATIENCE * 2):
        while True:
            tools = await list_once(session)
            if set(including) <= {tool["name"] for tool in tools}:
                return tools
            await anyio.sleep(0.02)


async def list_once(session):
    return await list_all(session.page, "tools")


async def list_all(page, member):
    """All pages of a list; `page` takes a cursor."""
    entries, cursor = [], None
    for _ in range(100):
        answer = await page(cursor)
        entries += answer[member]
        cursor = answer.get("nextCursor")
        if cursor is None:
            return entries
    raise AssertionError("the list has no end")


def callbacks():
    """The current SDK's client, with answers to whatever it is asked."""
    async def elicit(context, params):
        return mcp_types.ElicitResult.model_validate(answer("elicitation/create", params.model_dump(by_alias=True, exclude_none=True)))

    async def sample(context, params):
        return mcp_types.CreateMessageResult.model_validate(ANSWERS["sampling/createMessage"])

    async def roots(context):
        return mcp_types.ListRootsResult.model_validate(ANSWERS["roots/list"])

    return {"elicitation_callback": elicit, "sampling_callback": sample, "list_roots_callback": roots, "log_level": "info",
            "sampling_capabilities": mcp_types.SamplingCapability(tools={})}


@contextlib.asynccontextmanager
async def connect(kind, target, answering=False, **options):
    """A client of that kind, connected; afterwards all that it received has passed the schema. `answering`: it can be asked."""
    traffic = Traffic()
    if kind in BY_HAND:
        revision, transport = BY_HAND[kind]
        async with byhand.connect(revision, transport, target, traffic, answering) as session:
            yield session
        assert not traffic.mistakes, "\n".join(traffic.mistakes)
        return
    sdk, transport, mode = KINDS[kind]
    if sdk == "current":
        options |= callbacks() if answering else {}
        if transport == "http":
            streams = streamable_http_client(target.urls["http"])
        else:
            environment = {**os.environ, **target.environment}
            streams = stdio_client(StdioServerParameters(
                command=target.command[0], args=[str(a) for a in target.command[1:]], env=environment))
        async with Client(Tapped(streams, traffic), mode=mode, read_timeout_seconds=PATIENCE * 2, **options) as client:
            traffic.revision = client.protocol_version
            traffic.check()
            yield Current(client, traffic)
    else:
        address = [str(part) for part in target.command] if transport == "stdio" else [target.urls[transport]]
        driver = os.path.join(os.path.dirname(__file__), "legacy_driver.py")
        process = await anyio.open_process(
            [PYTHON["legacy"], "-B", driver, *(["--answering"] if answering else []), transport, *address],
            env={**os.environ, **target.environment}, stderr=None)
        session = Older(process, traffic)
        async with anyio.create_task_group() as group:
            group.start_soon(session.read_lines)
            try:
                with anyio.fail_after(PATIENCE * 2):
                    await session.ready.wait()
                if "broken" in session.opening:
                    raise Refused(None, session.opening["broken"])
                yield session
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(PATIENCE):
                    await process.stdin.aclose()
                    await process.wait()
                if process.returncode is None:
                    process.kill()
                group.cancel_scope.cancel()
    assert not traffic.mistakes, "\n".join(traffic.mistakes)
