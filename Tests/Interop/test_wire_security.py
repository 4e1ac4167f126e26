"""What a web page, a stranger or a broken client may not do: origins, hosts, unknown servers, limits, framing."""

import http.client
import json
import socket

import pytest
from harness.deadline import PATIENCE
from harness.schemas import MODERN
from harness.wire import Wire, meta, request, standard_headers

pytestmark = pytest.mark.quick


def opening(revision):
    if revision == MODERN:
        return request("server/discover", {"_meta": meta()})
    return request("initialize", {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}})


# dns-rebinding

@pytest.mark.parametrize("revision", ["2025-03-26", "2025-11-25", MODERN])
@pytest.mark.parametrize("host", ["evil.example.com", "evil.example.com:80", "127.0.0.1.evil.example.com", "localhost.evil.com"])
def test_a_foreign_host_and_origin_are_refused(world, revision, host):
    wire = Wire(world.url("checks"), revision)
    reply = wire.post(opening(revision), {"Host": host, "Origin": f"http://{host}"})
    assert 400 <= reply.status < 500


@pytest.mark.parametrize("host", ["localhost:$PORT", "127.0.0.1:$PORT", "[::1]:$PORT"])
@pytest.mark.parametrize("revision", ["2025-11-25", MODERN])
def test_a_local_host_and_origin_are_accepted(world, revision, host):
    wire = Wire(world.url("checks"), revision)
    host = host.replace("$PORT", str(wire.port))
    assert wire.post(opening(revision), {"Host": host, "Origin": f"http://{host}"}).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "http://127.0.0.1.evil.com", "file://", "chrome-extension://x"])
def test_a_foreign_origin_is_forbidden(world, origin):
    wire = Wire(world.url("checks"))
    assert wire.post(opening(MODERN), {"Origin": origin}).status == 403


@pytest.mark.gateway
def test_a_foreign_host_is_refused_without_an_origin(world):
    wire = Wire(world.url("checks"))
    assert wire.post(opening(MODERN), {"Host": "rebound.example.com"}).status in (400, 403, 421)


@pytest.mark.gateway
def test_get_and_sse_are_protected_too(world):
    wire = Wire(world.url("checks"), "2025-11-25")
    wire.initialize()
    for path in (wire.path, wire.path.replace("/mcp", "/sse")):
        headers = {"Accept": "text/event-stream", "Origin": "http://evil.example.com", "Mcp-Session-Id": wire.session}
        assert wire.send("GET", headers=headers, path=path).status == 403


@pytest.mark.gateway
def test_an_allowed_origin_is_allowed(workshop):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration(
        [upstream], {"team": {"tools": ["one.echo"]}}, allowed_origins=["https://app.example.com"])
    wire = Wire(workshop.gateway(configuration).url("team"))
    assert wire.post(opening(MODERN), {"Origin": "https://app.example.com"}).status == 200
    for origin in ("https://app.example.com.evil.com", "http://app.example.com", "https://other.example.com"):
        assert wire.post(opening(MODERN), {"Origin": origin}).status == 403


# Addresses

@pytest.mark.gateway
@pytest.mark.parametrize("path", [
    "/nobody/mcp", "/via-checks/mcp/x", "/via-checks", "/", "/VIA-CHECKS/mcp", "/via-checks/../prefixed/mcp", "/via-checks%2fmcp",
    "//via-checks/mcp", "/via-checks/MCP", "/via-checks//mcp", "/mcp", "/sse",
])
def test_an_unknown_address_is_not_found_and_falls_through_to_nothing(world, path):
    wire = Wire(world.url("checks"))
    assert wire.send("POST", opening(MODERN), standard_headers(opening(MODERN)), path=path).status in (400, 404)
    assert wire.send("GET", headers={"Accept": "text/event-stream"}, path=path).status in (400, 404)


@pytest.mark.gateway
@pytest.mark.parametrize("servers, answers", [(["only"], "only"), (["default", "other"], "default"), (["one", "two"], None)])
def test_the_short_address_is_the_default_server_or_the_only_one(workshop, servers, answers):
    upstream = workshop.upstream("up")
    configuration = workshop.configuration(
        [upstream], {name: {"instructions": f"I am {name}", "tools": ["up.echo"]} for name in servers})
    gateway = workshop.gateway(configuration)
    reply = Wire(f"{gateway.origin}/mcp").call("server/discover")
    if answers is None:
        assert reply.status == 404
    else:
        assert reply.result["instructions"].splitlines()[0] == f"I am {answers}"
    headers = {"Accept": "text/event-stream"}
    with Wire(f"{gateway.origin}/sse", "2024-11-05").send("GET", headers=headers) as stream:
        assert stream.status == (404 if answers is None else 200)


@pytest.mark.gateway
def test_health_and_readiness_are_reported(world):
    status, _ = world.gateway.get("/healthz")
    assert status == 200
    status, body = world.gateway.get("/readyz")
    report = json.loads(body)
    assert status == 200
    assert set(report["upstreams"]) >= {"modern", "older", "sse", "child", "pages", "checks"}
    for upstream in report["upstreams"].values():
        assert "state" in upstream and "last_error" in upstream


@pytest.mark.gateway
@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_without_identity_only_loopback_is_listened_on(workshop, address):
    upstream = workshop.upstream("one")
    configuration = workshop.configuration([upstream], {"team": {"tools": ["one.echo"]}})
    done = configuration.run("serve", "--listen", address)
    assert done.returncode in (1, 2) and done.stdout == ""
    assert "127.0.0.1" in done.stderr


# Framing: each on a connection of its own, which is closed

def exchange(port, data, half_close=False):
    """Everything that comes back for raw bytes, until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def raw_request(path, extra=b"", body=None, line=b"POST %s HTTP/1.1\r\n", length=True):
    message = json.dumps(opening(MODERN)).encode() if body is None else body
    head = line % path.encode() if b"%s" in line else line
    head += b"Host: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
    for name, value in standard_headers(opening(MODERN)).items():
        head += f"{name}: {value}\r\n".encode()
    if length:
        head += b"Content-Length: %d\r\n" % len(message)
    return head + extra + b"\r\n" + message


@pytest.mark.gateway
@pytest.mark.parametrize("extra, body, length", [
    pytest.param(b"Content-Length: 5\r\n", None, True, id="two lengths"),
    pytest.param(b"Transfer-Encoding: chunked\r\n", None, True, id="length and chunked"),
    pytest.param(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n", False, id="other coding"),
    pytest.param(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n", False, id="unknown coding"),
    pytest.param(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n", False, id="space before colon"),
    pytest.param(b"Content-Length: +5\r\n", b"hello", False, id="signed length"),
    pytest.param(b"Content-Length: 5, 5\r\n", b"hello", False, id="listed length"),
    pytest.param(b"Content-Length: 99999999999999999999\r\n", b"", False, id="huge length"),
    pytest.param(b"Content-Length: 0x5\r\n", b"hello", False, id="hex length"),
    pytest.param(b"X: a\r\n folded\r\n", None, True, id="obs-fold"),
    pytest.param(b"X: a\nY: b\r\n", None, True, id="bare LF"),
    pytest.param(b"X: a\0b\r\n", None, True, id="NUL"),
    pytest.param(b"X y: a\r\n", None, True, id="name with space"),
    pytest.param(b": a\r\n", None, True, id="no name"),
    pytest.param(b"Host: evil.example.com\r\n", None, True, id="two hosts"),
    pytest.param(b"Transfer-Encoding: chunked\r\n", b"5;ext=1\r\nhello\r\n0\r\n\r\n", False, id="chunk extension"),
    pytest.param(b"Transfer-Encoding: chunked\r\n", b"5\nhello\r\n0\r\n\r\n", False, id="chunk with bare LF"),
    pytest.param(b"Transfer-Encoding: chunked\r\n", b"-5\r\nhello\r\n0\r\n\r\n", False, id="negative chunk"),
    pytest.param(b"Transfer-Encoding: chunked\r\n", b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", False, id="huge chunk"),
])
def test_doubtful_framing_is_refused_and_the_connection_closed(world, extra, body, length):
    wire = Wire(world.url("checks"))
    second = raw_request(wire.path)
    received = exchange(wire.port, raw_request(wire.path, extra, body, length=length) + second)
    assert received.startswith(b"HTTP/1.1 4") or received.startswith(b"HTTP/1.1 501"), received[:200]
    assert received.count(b"HTTP/1.1 ") == 1, "nothing after it is read as a request"


@pytest.mark.gateway
def test_a_chunked_request_is_read(world):
    wire = Wire(world.url("checks"))
    message = json.dumps(opening(MODERN)).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(message[i:i + 7]), message[i:i + 7]) for i in range(0, len(message), 7)) + b"0\r\n\r\n"
    received = exchange(wire.port, raw_request(wire.path, b"Transfer-Encoding: chunked\r\nConnection: close\r\n", chunks, length=False))
    assert received.startswith(b"HTTP/1.1 200")


@pytest.mark.gateway
def test_a_connection_is_kept_and_requests_may_be_pipelined(world):
    wire = Wire(world.url("checks"))
    received = exchange(wire.port, raw_request(wire.path) * 4 + raw_request(wire.path, b"Connection: close\r\n"))
    assert received.count(b"HTTP/1.1 200") == 5


@pytest.mark.gateway
def test_a_request_in_single_bytes_is_read(world):
    wire = Wire(world.url("checks"))
    with socket.create_connection(("127.0.0.1", wire.port), timeout=PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in raw_request(wire.path, b"Connection: close\r\n"):
            connection.sendall(bytes([byte]))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.gateway
def test_expect_continue_is_answered(world):
    wire = Wire(world.url("checks"))
    data = raw_request(wire.path, b"Expect: 100-continue\r\nConnection: close\r\n")
    head, body = data.split(b"\r\n\r\n", 1)
    with socket.create_connection(("127.0.0.1", wire.port), timeout=PATIENCE) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(1024).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    assert b"HTTP/1.1 200" in received


# Limits

@pytest.mark.gateway
def test_a_body_beyond_4_mib_is_refused(world):
    wire = Wire(world.url("checks"))
    connection = http.client.HTTPConnection(wire.host, wire.port, timeout=PATIENCE)
    connection.putrequest("POST", wire.path)
    for name, value in {"Content-Type": "application/json", "Content-Length": str(4 * 1024 * 1024 + 1)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.gateway
def test_a_body_of_almost_4_mib_is_served(world):
    text = "x" * (4 * 1024 * 1024 - 4096)
    result = Wire(world.url("modern")).call("tools/call", {"name": "echo", "arguments": {"text": text}}).result
    assert result["content"][0]["text"] == text


@pytest.mark.gateway
def test_a_head_beyond_16_kib_is_refused(world):
    wire = Wire(world.url("checks"))
    assert wire.post(opening(MODERN), {"X-Long": "x" * 17000}).status == 431


@pytest.mark.gateway
@pytest.mark.parametrize("depth, accepted", [(100, True), (129, False), (100_000, False)])
def test_json_is_read_to_a_depth_of_128(world, depth, accepted):
    wire = Wire(world.url("modern"))
    body = json.dumps(request("tools/call", {"name": "echo", "arguments": {"text": "x", "deep": "$"}, "_meta": meta()}))
    body = body.replace('"$"', "[" * depth + "]" * depth).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
               **standard_headers(request("tools/call", {"name": "echo"}))}
    assert wire.send(body=body, headers=headers, answers="tools/call").status == (200 if accepted else 400)


@pytest.mark.gateway
@pytest.mark.parametrize("body", [
    '{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"_meta":$META}}',
    '{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list","params":{"_meta":$META}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_simple_text","name":"other","arguments":{},"_meta":$META}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_simple_text","n\\u0061me":"other","_meta":$META}}',
])
def test_a_name_that_stands_twice_where_it_decides_is_refused(world, body):
    wire = Wire(world.url("checks"))
    body = body.replace("$META", json.dumps(meta()))
    message = json.loads(body)
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **standard_headers(message)}
    reply = wire.send(body=body.encode(), headers=headers)
    assert reply.status == 400
