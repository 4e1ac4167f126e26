"""A legacy client over any transport that hears everything, for tests that look at single messages."""

import queue

from . import schemas
from .byhand import CARRIERS, background
from .clients import Target
from .deadline import PATIENCE, eventually
from .wire import request


class PlainClient:
    def __init__(self, gateway, server, transport, revision="2025-11-25", capabilities=None, proof=None):
        self.revision = revision
        self.inbox, self.heard, self.last = queue.Queue(), [], 0
        self.carrier = CARRIERS[transport](Target.server(gateway, server), revision, self.inbox.put)
        if proof:
            self.carrier.wire.proof = proof
        self.opening = self.ask("initialize", protocolVersion=revision, capabilities=capabilities or {},
                                clientInfo={"name": "interop", "version": "1.0.0"})["result"]
        self.carrier.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        self.carrier.opened()
        if transport == "http":
            eventually(lambda: self.carrier.listening, what="the stream")

    def begin(self, method, params, id=None):
        self.last += 1
        message = request(method, params, id or f"ask-{self.last}")
        background(self.carrier.send, message)
        return message["id"]

    def ask(self, method, **params):
        return self.answer(self.begin(method, params))

    def answer(self, id):
        return self.until(lambda message: isinstance(message, dict) and "method" not in message and message.get("id") == id)

    def send(self, message):
        self.carrier.send({"jsonrpc": "2.0", **message})

    def until(self, done, patience=PATIENCE):
        """The first message, of those heard and not handed out yet, that is as wanted."""
        for message in self.heard:
            if done(message):
                self.heard.remove(message)
                return message
        while True:
            message = self.inbox.get(timeout=patience)
            schemas.check(message, self.revision)
            if done(message):
                return message
            self.heard.append(message)

    def told(self, method):
        """The next message of that method."""
        return self.until(lambda message: isinstance(message, dict) and message.get("method") == method)

    def close(self):
        self.carrier.close()
