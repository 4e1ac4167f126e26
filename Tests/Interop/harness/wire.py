"""MCP over HTTP by hand: every header and byte is the test's own, and every message received is held against the schema."""

import base64
import http.client
import json
import socket
import urllib.parse

from . import schemas
from .deadline import PATIENCE

META = "io.modelcontextprotocol/"


def meta(revision=schemas.MODERN, capabilities=None, **more):
    return {
        META + "protocolVersion": revision,
        META + "clientInfo": {"name": "interop", "version": "1.0.0"},
        META + "clientCapabilities": capabilities or {},
        **more,
    }


def request(method, params=None, id=1):
    return {"jsonrpc": "2.0", "id": id, "method": method, **({"params": params} if params is not None else {})}


def header_value(value):
    plain = all(32 <= ord(c) < 127 for c in value) and value == value.strip() and not value.startswith("=?base64?")
    return value if plain else f"=?base64?{base64.b64encode(value.encode()).decode()}?="


def standard_headers(message, revision=schemas.MODERN):
    params = message.get("params") or {}
    headers = {"MCP-Protocol-Version": revision, "Mcp-Method": message["method"]}
    name = params.get("name") or params.get("uri")
    if message["method"] in ("tools/call", "prompts/get", "resources/read") and name:
        headers["Mcp-Name"] = header_value(name)
    if message["method"].startswith("tasks/") and isinstance(params.get("taskId"), str):
        headers["Mcp-Name"] = header_value(params["taskId"])
    return headers


class Reply:
    """An HTTP response: one JSON document, or a stream that is read message by message."""

    def __init__(self, connection, response, revision, method):
        self.connection, self.response = connection, response
        self.revision, self.method = revision, method
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.kind = self.headers.get("content-type", "").split(";")[0]
        self.is_stream = self.kind == "text/event-stream"
        self.messages = []
        self.body = b""
        if not self.is_stream:
            self.body = response.read()
            connection.close()
            if self.kind == "application/json" and self.body:
                self._take(json.loads(self.body))

    def _take(self, message):
        # A refusal by the transport (403 of an origin, say) may be an error without an id.
        if not (isinstance(message, dict) and message.get("id") is None and "error" in message):
            schemas.check(message, self.revision, self.method)
        self.messages.append(message)
        return message

    def event(self):
        """The next event as (name, data), or None at the end of the stream."""
        name, data = "message", []
        while True:
            line = self.response.readline()
            if not line:
                return None
            line = line.decode("utf-8").rstrip("\r\n")
            if not line:
                if data:
                    return name, "\n".join(data)
                name = "message"
            elif line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))

    def next(self):
        """The next message of the stream, or None at its end."""
        found = self.event()
        if found is None or found[1] == "":
            return None if found is None else self.next()
        return self._take(json.loads(found[1]))

    def until(self, done):
        """Reads messages until one is as wanted, and returns it."""
        for message in self.messages:
            if done(message):
                return message
        while True:
            message = self.next()
            assert message is not None, f"the stream ended after {self.messages}"
            if done(message):
                return message

    def answer(self):
        """The response message; of a stream, the last one."""
        if self.is_stream:
            message = self.until(lambda m: "method" not in m)
            self.close()
            return message
        assert self.messages, f"HTTP {self.status} with {self.kind or 'no'} body {self.body[:300]!r}"
        return self.messages[-1]

    @property
    def result(self):
        message = self.answer()
        assert "result" in message, message
        return message["result"]

    @property
    def error(self):
        message = self.answer()
        assert "error" in message, message
        return message["error"]

    @property
    def notifications(self):
        return [m for m in self.messages if "method" in m]

    def close(self):
        # A plain close would leave the socket open for as long as the response object lives.
        if self.connection.sock:
            try:
                self.connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.response.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Wire:
    """One MCP endpoint. Modern requests carry what the revision wants unless a test changes it; legacy ones a session.

    `proof`: header fields of every request that say who calls; `tls`: what an https address is connected with.
    """

    def __init__(self, url, revision=schemas.MODERN, proof=None, tls=None):
        self.url = url
        self.proof, self.tls = proof or {}, tls
        self.revision = revision
        self.session = None
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path

    def send(self, method="POST", body=None, headers=(), path=None, answers=None, revision=None, window=None):
        """Sends exactly these headers (pairs or a mapping) after Host; Content-Length comes with a body.

        `window`: bytes that the system receives on behalf of a client that does not read.
        """
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=PATIENCE, context=self.tls) if self.tls else \
            http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        if window:
            connection.sock = socket.socket()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            connection.sock.settimeout(PATIENCE)
            connection.sock.connect((self.host, self.port))
        pairs = list(headers.items()) if hasattr(headers, "items") else list(headers)
        pairs += [pair for pair in self.proof.items() if not any(name.lower() == pair[0].lower() for name, _ in pairs)]
        connection.putrequest(method, path or self.path, skip_host=any(n.lower() == "host" for n, _ in pairs), skip_accept_encoding=True)
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        for name, value in pairs:
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return Reply(connection, response, revision or self.revision, answers)

    def post(self, message, headers=None, body=None, window=None):
        """A request as a well-behaved client sends it; `headers` replaces some (None leaves one out), `body` spells the message."""
        base = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if self.revision == schemas.MODERN:
            if "method" in message:
                base |= standard_headers(message)
        elif isinstance(message, dict) and message.get("method") == "initialize":
            pass
        elif self.revision >= "2025-06-18":
            base["MCP-Protocol-Version"] = self.revision
        if self.session:
            base["Mcp-Session-Id"] = self.session
        for name, value in (headers or {}).items():
            for known in [k for k in base if k.lower() == name.lower()]:
                del base[known]
            if value is not None:
                base[name] = value
        method = message.get("method") if isinstance(message, dict) else None
        return self.send("POST", message if body is None else body, base, answers=method, window=window)

    def call(self, method, params=None, id=1, headers=None, capabilities=None, window=None, indent=None, **more_meta):
        """A modern request with its `_meta`, or a legacy one without."""
        params = dict(params or {})
        if self.revision == schemas.MODERN:
            params.setdefault("_meta", meta(capabilities=capabilities, **more_meta))
        elif more_meta:
            params["_meta"] = more_meta
        message = request(method, params, id)
        return self.post(message, headers, json.dumps(message, indent=indent).encode() if indent else None, window)

    # The legacy opening

    def initialize(self, capabilities=None, asked=None):
        reply = self.post(request("initialize", {
            "protocolVersion": asked or self.revision, "capabilities": capabilities or {},
            "clientInfo": {"name": "interop", "version": "1.0.0"}}, id="init"))
        result = reply.result
        self.session = reply.headers.get("mcp-session-id")
        self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return result

    def listen(self):
        """The legacy GET stream."""
        headers = {"Accept": "text/event-stream", "MCP-Protocol-Version": self.revision}
        if self.session:
            headers["Mcp-Session-Id"] = self.session
        return self.send("GET", headers=headers)

    def delete(self):
        headers = {"MCP-Protocol-Version": self.revision}
        if self.session:
            headers["Mcp-Session-Id"] = self.session
        return self.send("DELETE", headers=headers)
