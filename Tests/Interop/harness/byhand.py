"""A legacy client of any revision over any transport, without an SDK; it has the verbs of the SDKs' clients in `clients`."""

import asyncio
import contextlib
import json
import os
import subprocess
import threading
import urllib.parse

import anyio

from . import schemas
from .answers import answer
from .deadline import PATIENCE
from .wire import Wire, request


class Refused(Exception):
    """A JSON-RPC error, or a connection that broke (code None)."""

    def __init__(self, code, message, data=None):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.data = code, message, data


CAPABILITIES = {
    "2024-11-05": {"sampling": {}, "roots": {}},
    "2025-03-26": {"sampling": {}, "roots": {}},
    "2025-06-18": {"sampling": {}, "roots": {}, "elicitation": {}},
    "2025-11-25": {"sampling": {"tools": {}}, "roots": {}, "elicitation": {"form": {}, "url": {}}},
}


# What a thread that reads a stream meets when the stream is closed under its hands.
ENDED = (OSError, ValueError, AttributeError)


def background(work, *arguments):
    threading.Thread(target=work, args=arguments, daemon=True).start()


class OverHTTP:
    """Each message a request, each with a thread that reads what comes back; one more for the GET stream."""

    def __init__(self, target, revision, deliver):
        self.wire, self.deliver = Wire(target.urls["http"], revision), deliver
        self.listening = None

    def send(self, message):
        reply = self.wire.post(message)
        self.wire.session = reply.headers.get("mcp-session-id", self.wire.session)
        if not reply.is_stream:
            for received in reply.messages:
                self.deliver(received)
            return
        with contextlib.suppress(*ENDED):
            while (received := reply.next()) is not None:
                self.deliver(received)

    def opened(self):
        def listen():
            with contextlib.suppress(*ENDED):
                self.listening = self.wire.listen()
                while self.listening.is_stream and (received := self.listening.next()) is not None:
                    self.deliver(received)
        background(listen)

    def close(self):
        if self.listening:
            self.listening.close()
        self.wire.delete()


class OverSSE:
    """One GET stream for all that comes, a request for each message that goes."""

    def __init__(self, target, revision, deliver):
        self.wire, self.deliver = Wire(target.urls["sse"], revision), deliver
        self.stream = self.wire.send("GET", headers={"Accept": "text/event-stream"})
        assert (self.stream.status, self.stream.is_stream) == (200, True)
        name, endpoint = self.stream.event()
        assert name == "endpoint"
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(self.wire.url, endpoint))
        self.path = parts.path + (f"?{parts.query}" if parts.query else "")
        background(self.listen)

    def listen(self):
        with contextlib.suppress(*ENDED):
            while (event := self.stream.event()) is not None:
                self.deliver(json.loads(event[1]))

    def send(self, message):
        reply = self.wire.send("POST", message, {"Content-Type": "application/json"}, path=self.path)
        assert reply.status == 202, (reply.status, reply.body)

    def opened(self):
        pass

    def close(self):
        self.stream.close()


class OverStdio:
    def __init__(self, target, revision, deliver):
        self.deliver = deliver
        self.child = subprocess.Popen(
            [str(part) for part in target.command], env={**os.environ, **target.environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lock = threading.Lock()
        background(self.listen)

    def listen(self):
        for line in self.child.stdout:
            self.deliver(json.loads(line))

    def send(self, message):
        with self.lock:
            self.child.stdin.write(json.dumps(message).encode() + b"\n")
            self.child.stdin.flush()

    def opened(self):
        pass

    def close(self):
        self.child.stdin.close()
        try:
            assert self.child.wait(PATIENCE) == 0
        finally:
            self.child.kill()


CARRIERS = {"http": OverHTTP, "sse": OverSSE, "stdio": OverStdio}


class ByHand:
    def __init__(self, revision, traffic):
        self.revision, self.traffic = revision, traffic
        self.loop = asyncio.get_running_loop()
        self.waiting, self.progress = {}, {}
        self.last = 0
        self.carrier = None

    def deliver(self, message):
        """Called by the carrier's threads."""
        with contextlib.suppress(RuntimeError):  # a loop that has ended
            self.loop.call_soon_threadsafe(self._take, message)

    def _take(self, message):
        if isinstance(message, list):
            for one in message:
                self._take(one)
            return
        self.traffic.received(message)
        if "method" not in message:
            pending = self.waiting.pop(message.get("id"), None)
            if pending and not pending.done():
                pending.set_result(message)
        elif "id" in message:
            result = {} if message["method"] == "ping" else answer(message["method"], message.get("params", {}))
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": result}, message["method"])
        elif message["method"] == "notifications/progress":
            params = message["params"]
            if hear := self.progress.get(params["progressToken"]):
                self.loop.create_task(hear(params["progress"], params.get("total"), params.get("message")))

    def _send(self, message, answers=None):
        schemas.check_sent(message, self.revision, answers)

        def work():
            try:
                self.carrier.send(message)
            except Exception as error:
                broken = {"broken": f"{type(error).__name__}: {error}"}
                self.loop.call_soon_threadsafe(self._fail, message.get("id") if "method" in message else None, broken)
        background(work)

    def _fail(self, id, broken):
        pending = self.waiting.pop(id, None)
        if pending and not pending.done():
            pending.set_result(broken)
        elif pending is None:
            self.traffic.mistakes.append(broken["broken"])

    async def ask(self, method, params=None, on_progress=None, meta=None):
        self.last += 1
        id = f"{self.revision}/{self.last}"
        params = {key: value for key, value in (params or {}).items() if value is not None}
        if on_progress or meta:
            params["_meta"] = {**(meta or {}), **({"progressToken": id} if on_progress else {})}
            self.progress[id] = on_progress
        message = request(method, params, id)
        self.traffic.sent(message)
        pending = self.waiting[id] = self.loop.create_future()
        self._send(message)
        try:
            with anyio.fail_after(PATIENCE * 2):
                received = await pending
        except asyncio.CancelledError:
            self._send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id, "reason": "test"}})
            raise
        if "error" in received:
            raise Refused(received["error"]["code"], received["error"]["message"], received["error"].get("data"))
        if "broken" in received:
            raise Refused(None, received["broken"])
        return received["result"]

    async def batch(self, *requests):
        """Sends `(method, params)` pairs as one message, with a notification among them; the answers in their order."""
        waiting, messages = [], [{"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}]
        for method, params in requests:
            self.last += 1
            messages.append(request(method, params, f"batch/{self.last}"))
            self.traffic.sent(messages[-1])
            waiting.append(self.loop.create_future())
            self.waiting[messages[-1]["id"]] = waiting[-1]
        for message in messages:
            schemas.check_sent(message, self.revision)
        background(self.carrier.send, messages)
        with anyio.fail_after(PATIENCE):
            return [await one for one in waiting]

    async def open(self, transport, target, answering):
        self.carrier = await anyio.to_thread.run_sync(CARRIERS[transport], target, self.revision, self.deliver)
        result = await self.ask("initialize", {
            "protocolVersion": self.revision, "capabilities": CAPABILITIES[self.revision] if answering else {},
            "clientInfo": {"name": "interop", "version": "1.0.0"}})
        assert result["protocolVersion"] == self.revision
        self.traffic.revision = self.revision
        self.instructions, self.capabilities = result.get("instructions"), result["capabilities"]
        message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        schemas.check_sent(message, self.revision)
        await anyio.to_thread.run_sync(self.carrier.send, message)
        self.carrier.opened()

    # The verbs

    async def page(self, cursor=None):
        return await self.ask("tools/list", {"cursor": cursor})

    async def call(self, name, arguments=None, on_progress=None, meta=None):
        return await self.ask("tools/call", {"name": name, "arguments": arguments}, on_progress, meta)

    async def prompts(self, cursor=None):
        return await self.ask("prompts/list", {"cursor": cursor})

    async def prompt(self, name, arguments=None):
        return await self.ask("prompts/get", {"name": name, "arguments": arguments})

    async def resources(self, cursor=None):
        return await self.ask("resources/list", {"cursor": cursor})

    async def templates(self, cursor=None):
        return await self.ask("resources/templates/list", {"cursor": cursor})

    async def read(self, uri):
        return await self.ask("resources/read", {"uri": uri})

    async def complete(self, ref, argument, known=None):
        return await self.ask("completion/complete", {"ref": ref, "argument": argument, "context": known and {"arguments": known}})

    async def subscribe(self, uri):
        return await self.ask("resources/subscribe", {"uri": uri})

    async def unsubscribe(self, uri):
        return await self.ask("resources/unsubscribe", {"uri": uri})

    async def level(self, level):
        return await self.ask("logging/setLevel", {"level": level})

    def watching(self, what="tools", uri=None):
        return watching(self, what, uri)


@contextlib.asynccontextmanager
async def watching(session, what, uri):
    """A legacy client's way: what is announced on its stream, for a resource after it has subscribed."""
    method = "notifications/resources/updated" if uri else f"notifications/{what}/list_changed"
    seen = [len(session.traffic.notified(method))]

    async def changed():
        # A wait that was given up has seen nothing.
        await session.traffic.until_notified(method, seen[0] + 1)
        seen[0] += 1

    if uri:
        await session.subscribe(uri)
    yield changed
    if uri:
        await session.unsubscribe(uri)


@contextlib.asynccontextmanager
async def connect(revision, transport, target, traffic, answering):
    session = ByHand(revision, traffic)
    try:
        await session.open(transport, target, answering)
        yield session
    finally:
        if session.carrier:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(session.carrier.close)
