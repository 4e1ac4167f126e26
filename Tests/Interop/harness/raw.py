"""An upstream without an SDK: it answers with the bytes it is given, and keeps the bytes and headers it receives."""

import contextlib
import http.server
import itertools
import json
import queue
import re
import threading


class RawUpstream:
    """`tools` and `result` are JSON texts, sent as they are; with `legacy` it knows `initialize` instead of `server/discover`. At `sse_url`
    the same is had by HTTP+SSE, with one stream.

    Give `respond` to answer tools/call by hand, `by_hand` (`{method: function}`, "GET" and "answer", to a question, among them) for others,
    `tls` to speak HTTPS.
    """

    def __init__(self, tools="[]", result='{"content":[],"resultType":"complete"}', respond=None, tls=None, legacy=False, by_hand=None):
        self.tools, self.result, self.respond, self.by_hand = tools, result, respond, by_hand or {}
        self.requests = []
        self.stream = None
        self.numbers, self.asked = itertools.count(1), {}
        self.streams, self.over = [], threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = json.loads(body)
                outer.requests.append((message.get("method"), body, dict(self.headers)))
                if "id" not in message or "method" not in message:
                    return outer.take(self, message)
                id = json.dumps(message["id"])
                if message["method"] in outer.by_hand:
                    return outer.by_hand[message["method"]](self, message)
                modern = "" if legacy else '"resultType":"complete","ttlMs":0,"cacheScope":"public",'
                result = {
                    "initialize": legacy and '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"raw","version":"1"}}',
                    "server/discover": not legacy and "{" + modern + '"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}',
                    "tools/list": "{" + modern + '"tools":' + outer.tools + "}",
                    "tools/call": outer.result,
                }.get(message["method"])
                if message["method"] == "tools/call" and outer.respond:
                    return outer.respond(self, message)
                if not result:
                    error = f'{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"Method not found"}}}}'
                    return self.answer(404, error.encode())
                self.answer(200, f'{{"jsonrpc":"2.0","id":{id},"result":{result}}}'.encode())

            def do_GET(self):
                outer.requests.append(("GET", b"", dict(self.headers)))
                if self.path == "/sse":
                    return self.open_stream()
                if "GET" in outer.by_hand:
                    return outer.by_hand["GET"](self, None)
                self.answer(405, b"", None)

            def do_DELETE(self):
                self.answer(405, b"", None)

            def open_stream(self):
                """The stream of HTTP+SSE; answers to what is sent to its address come on it."""
                outer.stream = queue.SimpleQueue()
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                event = b"event: endpoint\ndata: /messages\n\n"
                while event is not None:
                    self.wfile.write(event)
                    event = outer.stream.get()
                self.close_connection = True

            def answer(self, status, body, kind="application/json"):
                if self.path == "/messages":
                    for data in [body] if kind == "application/json" else re.findall(rb"^data: (.*)$", body, re.M):
                        outer.stream.put(b"event: message\ndata: " + data + b"\n\n")
                    status, body, kind = 202, b"", None
                self.send_response(status)
                if kind:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def stream(self):
                """Begins an event stream that ends with the connection; what it returns sends a message."""
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True

                def send(message):
                    self.wfile.write(f"data: {json.dumps(message)}\n\n".encode())
                    self.wfile.flush()
                return send

            def break_off(self, events):
                """An event stream that ends in the middle of a chunk, and the connection with it."""
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"%x\r\n%s" % (len(events) + 10, events))
                self.close_connection = True

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
        self.sse_url = f"http://127.0.0.1:{self.port}/sse"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, handler, message):
        """A notification, or an answer to what the upstream asked: `asked` says what waits for it."""
        if "method" not in message:
            if message["id"] in self.asked:
                self.asked[message["id"]].put(message)
            if "answer" in self.by_hand:
                self.by_hand["answer"](message)
        handler.answer(202, b"", None)

    def ask(self, send, question, **meta):
        """Sends a request, with a new id; the answer can be got from the queue that is returned."""
        id = f"asked-{next(self.numbers)}"
        self.asked[id] = queue.Queue()
        params = {**question.get("params", {}), **({"_meta": meta} if meta else {})}
        send({"jsonrpc": "2.0", "id": id, "method": question["method"], "params": params})
        return self.asked[id]

    def listen(self, handler, _):
        """For "GET": a legacy session's own stream, on which `announce` speaks."""
        self.streams.append(handler.stream())
        self.over.wait()

    def announce(self, message):
        for send in self.streams:
            with contextlib.suppress(OSError):
                send(message)

    def calls(self):
        return [(body, headers) for method, body, headers in self.requests if method == "tools/call"]

    def count(self, method):
        return sum(1 for known, _, _ in self.requests if known == method)

    def stop(self):
        if self.stream:
            self.stream.put(None)
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
