"""Scenario dns-rebinding-protection."""

import json

from harness.schemas import check_sent
from harness.wire import Wire, meta, request, standard_headers

from .registry import scenario


@scenario("dns-rebinding-protection")
def dns_rebinding(case):
    wire = Wire(case.url, case.revision)
    if case.modern:
        message = request("server/discover", {"_meta": meta(capabilities={})})
    else:
        message = request("initialize", {
            "protocolVersion": case.revision, "capabilities": {}, "clientInfo": {"name": "conformance-dns-rebinding-test", "version": "1.0.0"}})
    check_sent(message, case.revision)
    local = f"{wire.host}:{wire.port}"
    evil = "evil.example.com"
    # The suite changes both; either alone is an attack too (RFC 6454 for the origin, the resolver's answer for the host).
    for host, origin, accepted in [(evil, evil, False), (evil, None, False), (local, evil, False), (local, local, True), (local, None, True)]:
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Host": host}
        headers |= standard_headers(message) if case.modern else {"MCP-Protocol-Version": case.revision}
        headers |= {"Origin": f"http://{origin}"} if origin else {}
        reply = wire.send(body=json.dumps(message).encode(), headers=headers, answers=message["method"])
        assert (200 <= reply.status < 300) if accepted else (400 <= reply.status < 500), (host, origin, reply.status)
        reply.close()
