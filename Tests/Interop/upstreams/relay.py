"""A server over stdio that asks one over HTTP: relay.py URL. So a test can have a child's answers by hand, in its own process."""

import http.client
import sys
import threading
import urllib.parse

ADDRESS = urllib.parse.urlsplit(sys.argv[1])
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
WRITING = threading.Lock()


def say(line):
    with WRITING:
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()


def pass_on(line):
    connection = http.client.HTTPConnection(ADDRESS.hostname, ADDRESS.port)
    connection.request("POST", ADDRESS.path, line, HEADERS)
    reply = connection.getresponse()
    if reply.headers.get_content_type() == "text/event-stream":
        for event in reply:
            if event.startswith(b"data: {"):
                say(event.removeprefix(b"data: ").strip())
    elif body := reply.read():
        say(body)
    connection.close()


for line in sys.stdin.buffer:
    threading.Thread(target=pass_on, args=(line.strip(),), daemon=True).start()
