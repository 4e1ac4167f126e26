"""What reaches an upstream, byte for byte as text, one JSON line each, in the file that INTEROP_TRAFFIC names."""

import json
import os


class Traffic:
    def __init__(self):
        self.path = os.environ.get("INTEROP_TRAFFIC")

    def write(self, text, revision=None):
        if self.path and text.strip():
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"revision": revision, "text": text}) + "\n")

    def app(self, app):
        """An ASGI application that records the bodies sent to another."""
        async def recording(scope, receive, send):
            if scope["type"] != "http" or scope["method"] != "POST":
                return await app(scope, receive, send)
            headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
            body = bytearray()

            async def received():
                event = await receive()
                if event["type"] == "http.request":
                    body.extend(event.get("body", b""))
                    if not event.get("more_body"):
                        self.write(body.decode(errors="replace"), headers.get("mcp-protocol-version"))
                return event

            await app(scope, received, send)
        return recording

    async def lines(self, file):
        """The lines of an asynchronous file, recorded as they pass."""
        async for line in file:
            self.write(line)
            yield line
