"""A legacy stdio server without an SDK: any resource below `shelf://`, each subscribed to as slowly as is said."""

import json
import os
import sys
import threading

delay = float(os.environ.get("SHELF_DELAY", "0"))
journal = os.environ["SHELF_JOURNAL"]
lock = threading.Lock()
subscribed = set()


def note(**entry):
    with lock, open(journal, "a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def send(**message):
    with lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def later(id, event, uri):
    def answer():
        (subscribed.add if event == "subscribe" else subscribed.discard)(uri)
        note(event=event, uri=uri)
        send(id=id, result={})
    threading.Timer(delay, answer).start()


def call(id, arguments):
    uri = arguments["uri"]
    if uri == "shelf://never":
        return
    if uri in subscribed:
        send(method="notifications/resources/updated", params={"uri": uri})
    send(id=id, result={"content": [{"type": "text", "text": "touched" if uri in subscribed else "not subscribed"}]})


note(event="start")
for line in sys.stdin:
    message = json.loads(line)
    id, method, params = message.get("id"), message.get("method"), message.get("params") or {}
    if method == "initialize":
        send(id=id, result={"protocolVersion": "2025-11-25", "serverInfo": {"name": "shelf", "version": "1"},
                            "capabilities": {"tools": {}, "resources": {"subscribe": True}}})
    elif method == "tools/list":
        send(id=id, result={"tools": [{"name": "touch", "inputSchema": {"type": "object"}}]})
    elif method == "tools/call":
        call(id, params["arguments"])
    elif method == "resources/list":
        send(id=id, result={"resources": []})
    elif method == "resources/templates/list":
        send(id=id, result={"resourceTemplates": [{"uriTemplate": "shelf://{+path}", "name": "shelf"}]})
    elif method in ("resources/subscribe", "resources/unsubscribe"):
        later(id, method.rpartition("/")[2], params["uri"])
    elif id is not None:
        send(id=id, error={"code": -32601, "message": "Method not found"})
