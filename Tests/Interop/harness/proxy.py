"""A forward proxy that knows its own names: what `routes` does not name does not exist."""

import http.client
import http.server
import select
import socket
import threading

from .deadline import PATIENCE


class Proxy:
    """`routes`: `{(name, port): local port}`. `requests` are (method, target, headers) as they came."""

    def __init__(self, routes):
        self.routes = routes
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self):
                outer.requests.append((self.command, self.path, dict(self.headers)))
                name, port = self.path.rsplit(":", 1)
                local = outer.routes.get((name, int(port)))
                if local is None:
                    return self.send_error(502)
                self.send_response(200)
                self.end_headers()
                self.close_connection = True
                with socket.create_connection(("127.0.0.1", local), timeout=PATIENCE) as far:
                    outer.pump(self.connection, far)

            def forward(self):
                outer.requests.append((self.command, self.path, dict(self.headers)))
                scheme, _, rest = self.path.partition("://")
                authority, _, path = rest.partition("/")
                name, _, port = authority.partition(":")
                local = outer.routes.get((name, int(port or 80))) if scheme == "http" else None
                if local is None:
                    return self.send_error(502)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                far = http.client.HTTPConnection("127.0.0.1", local, timeout=PATIENCE)
                headers = {key: value for key, value in self.headers.items() if not key.lower().startswith("proxy-")}
                far.request(self.command, "/" + path, body, headers)
                reply = far.getresponse()
                answer = reply.read()
                self.send_response(reply.status)
                for key, value in reply.getheaders():
                    if key.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(key, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                far.close()

            do_POST = do_GET = do_DELETE = forward

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @staticmethod
    def pump(one, other):
        while True:
            readable, _, _ = select.select([one, other], [], [], PATIENCE)
            if not readable:
                return
            for source in readable:
                data = source.recv(65536)
                if not data:
                    return
                (other if source is one else one).sendall(data)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
