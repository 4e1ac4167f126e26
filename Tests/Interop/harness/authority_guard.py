"""An upstream that wants a token: a guard before a real one, which checks the bearer as the MCP authorization pages want it.

    guard = Guard(upstream.url, authority)               # tokens must be by `authority` and for guard.url
    guard.scopes = ["mcp"]                               # what the challenge and the RFC 9728 metadata name; needed of every token
    guard.tool_scopes["delete_branch"] = "admin"         # a call without it: 403 insufficient_scope
    guard.method_scopes["tools/list"] = "list"           # the same for a method
    guard.metadata_path, guard.challenges_with_metadata  # where the metadata is, and whether a challenge says so
    guard.refuse(1)                                      # the next so many requests get 401, whatever they bring
    guard.tokens / guard.claims()                        # what came; guard.headers: all header fields of accepted requests
"""

import http.client
import http.server
import json
import threading
import urllib.parse

from .authority_clients import OAuthError

HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "host", "te", "upgrade")


class Guard:
    def __init__(self, upstream, authority, audience=None, tls=None, host="127.0.0.1"):
        self.target = urllib.parse.urlsplit(upstream)
        self.authority, self.tls, self.host = authority, tls, host
        self.scopes, self.tool_scopes, self.method_scopes = [], {}, {}
        self.tokens, self.headers, self.refused = [], [], 0
        self.metadata_changes, self.lock = {}, threading.Lock()
        self.challenges_with_metadata = True
        self.metadata_path = "/.well-known/oauth-protected-resource" + self.target.path
        handler = type("Handler", (_Handler,), {"guard": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.audience = audience or self.url
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def origin(self):
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def url(self):
        return self.origin + self.target.path

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def refuse(self, count):
        with self.lock:
            self.refused = count

    def claims(self):
        """The claims of the last token that was accepted."""
        return self.authority.verify(self.tokens[-1], self.audience)

    def metadata(self):
        return {"resource": self.audience, "authorization_servers": [self.authority.issuer], "bearer_methods_supported": ["header"],
                **({"scopes_supported": self.scopes} if self.scopes else {}), **self.metadata_changes}

    def challenge(self, **more):
        if self.challenges_with_metadata:
            more["resource_metadata"] = self.origin + self.metadata_path
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in more.items())

    def judge(self, authorization, body):
        """None, or the status and the challenge of the refusal."""
        scope = {"scope": " ".join(self.scopes)} if self.scopes else {}
        with self.lock:
            if self.refused:
                self.refused -= 1
                return 401, self.challenge(error="invalid_token", **scope)
        if not authorization:
            return 401, self.challenge(**scope)
        try:
            claims = self.authority.verify(authorization.removeprefix("Bearer "), self.audience)
        except OAuthError as error:
            return 401, self.challenge(error="invalid_token", error_description=error.description or "", **scope)
        needed = set(self.scopes)
        try:
            message = json.loads(body)
            needed |= set(self.method_scopes.get(message["method"], "").split())
            if message["method"] == "tools/call":
                needed |= set(self.tool_scopes.get(message["params"]["name"], "").split())
        except (ValueError, KeyError, TypeError):
            pass
        if not needed <= set(claims.get("scope", "").split()):
            return 403, self.challenge(error="insufficient_scope", scope=" ".join(sorted(needed)))
        return None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    guard = None

    def _serve(self):
        guard = self.guard
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == guard.metadata_path:
            return self._send(200, json.dumps(guard.metadata()).encode())
        if self.path.startswith("/.well-known/"):
            return self._send(404, b"{}")
        authorization = self.headers.get("Authorization", "")
        refusal = guard.judge(authorization, body)
        if refusal:
            return self._send(refusal[0], b'{"error":"refused"}', refusal[1])
        with guard.lock:
            guard.tokens.append(authorization.removeprefix("Bearer "))
            guard.headers.append(dict(self.headers))
        self._forward(body)

    do_GET = do_POST = do_DELETE = _serve

    def _forward(self, body):
        # SSE ends when either side goes.
        connection = http.client.HTTPConnection(self.guard.target.hostname, self.guard.target.port)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
            connection.request(self.command, self.path, body if self.command == "POST" else None, headers)
            reply = connection.getresponse()
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in (*HOP, "date", "server"):
                    self.send_header(name, value)
            length = reply.getheader("Content-Length")
            self.send_header(*(("Content-Length", length) if length is not None else ("Transfer-Encoding", "chunked")))
            self.end_headers()
            while piece := reply.read1(65536):
                self.wfile.write(piece if length is not None else b"%x\r\n%s\r\n" % (len(piece), piece))
            if length is None:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
        finally:
            connection.close()

    def _send(self, status, body, challenge=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
