"""A modern upstream without an SDK: it answers with the bytes it is given, and keeps the bytes and headers it receives."""

import http.server
import json
import threading


class RawUpstream:
    """`tools` and `result` are JSON texts, sent as they are. Give `respond` to answer tools/call by hand, `tls` to speak HTTPS."""

    def __init__(self, tools="[]", result='{"content":[],"resultType":"complete"}', respond=None, tls=None):
        self.tools, self.result, self.respond = tools, result, respond
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = json.loads(body)
                outer.requests.append((message.get("method"), body, dict(self.headers)))
                if "id" not in message:
                    return self.answer(202, b"", None)
                id = json.dumps(message["id"])
                result = {
                    "server/discover": '{"resultType":"complete","supportedVersions":["2026-07-28"],'
                                       '"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"public"}',
                    "tools/list": '{"resultType":"complete","ttlMs":0,"cacheScope":"public","tools":' + outer.tools + "}",
                    "tools/call": outer.result,
                }.get(message["method"])
                if message["method"] == "tools/call" and outer.respond:
                    return outer.respond(self, message)
                if result is None:
                    error = f'{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"Method not found"}}}}'
                    return self.answer(404, error.encode())
                self.answer(200, f'{{"jsonrpc":"2.0","id":{id},"result":{result}}}'.encode())

            def do_GET(self):
                self.answer(405, b"", None)

            do_DELETE = do_GET

            def answer(self, status, body, kind="application/json"):
                self.send_response(status)
                if kind:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            # Each handshake in its own thread: one that fails must not hold up the others.
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def calls(self):
        return [(body, headers) for method, body, headers in self.requests if method == "tools/call"]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
