"""The way to an upstream: certificates of a private authority, names, proxies."""

import base64

import pytest
from harness.certificates import Authority
from harness.deadline import eventually
from harness.proxy import Proxy
from harness.raw import RawUpstream
from harness.wire import Wire

pytestmark = [pytest.mark.gateway, pytest.mark.quick]

TOOLS = '[{"name":"where","inputSchema":{"type":"object"}}]'
NO_PROXY = {name: "" for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def plain():
    upstream = RawUpstream(TOOLS)
    yield upstream
    upstream.stop()


@pytest.fixture(scope="module", params=["localhost", "upstream.test"])
def secure(authority, request):
    upstream = RawUpstream(TOOLS, tls=authority.context(request.param))
    upstream.name = request.param
    yield upstream
    upstream.stop()


def serve(workshop, url, **environment):
    configuration = workshop.configuration({"far": {"url": url}}, {"team": {"names": "plain", "tools": ["far.*"], "new_tools": "show"}})
    return workshop.gateway(configuration, environment={**NO_PROXY, **environment})


def works(gateway):
    wire = Wire(gateway.url("team"))
    return [tool["name"] for tool in wire.call("tools/list").result["tools"]] == ["where"] and \
        "content" in wire.call("tools/call", {"name": "where", "arguments": {}}).result


def failure(gateway):
    gateway.ready()
    return eventually(lambda: gateway.ready()["upstreams"]["far"]["last_error"])


# HTTPS

@pytest.mark.parametrize("secure", ["localhost"], indirect=True)
def test_an_upstream_with_a_certificate_of_a_private_authority_is_used(workshop, secure, authority):
    assert works(serve(workshop, f"https://localhost:{secure.port}/mcp", SSL_CERT_FILE=str(authority.path)))


@pytest.mark.parametrize("secure", ["localhost"], indirect=True)
def test_an_unknown_authority_is_not_trusted(workshop, secure):
    before = len(secure.requests)
    gateway = serve(workshop, f"https://localhost:{secure.port}/mcp")
    assert "certificate" in failure(gateway).lower()
    assert len(secure.requests) == before, "nothing is said to a stranger"
    assert Wire(gateway.url("team")).call("tools/list").result["tools"] == []


@pytest.mark.parametrize("secure", ["localhost", "upstream.test"], indirect=True)
def test_a_certificate_for_another_name_is_not_accepted(workshop, secure, authority):
    # The address that both have is no name of either certificate.
    before = len(secure.requests)
    gateway = serve(workshop, f"https://127.0.0.1:{secure.port}/mcp", SSL_CERT_FILE=str(authority.path))
    assert "certificate" in failure(gateway).lower()
    assert len(secure.requests) == before


# Proxies

@pytest.fixture
def proxy(plain):
    proxy = Proxy({("upstream.test", 80): plain.port})
    yield proxy
    proxy.stop()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_a_proxy_is_used_where_the_environment_names_one(workshop, plain, proxy, variable):
    assert works(serve(workshop, "http://upstream.test/mcp", **{variable: f"http://127.0.0.1:{proxy.port}"}))
    assert proxy.requests and all(target == "http://upstream.test/mcp" for _, target, _ in proxy.requests)
    assert plain.requests[-1][2]["Host"] == "upstream.test"


def test_the_proxys_password_goes_to_the_proxy_only(workshop, plain, proxy):
    gateway = serve(workshop, "http://upstream.test/mcp", HTTP_PROXY=f"http://ada:s%3Acret@127.0.0.1:{proxy.port}")
    assert works(gateway)
    expected = "Basic " + base64.b64encode(b"ada:s:cret").decode()
    assert {headers["Proxy-Authorization"] for _, _, headers in proxy.requests} == {expected}
    assert "cret" not in gateway.process.stderr and "cret" not in str(gateway.ready())


@pytest.mark.parametrize("exception", ["upstream.test", ".test", "*", "example.com,upstream.test:80"])
def test_what_no_proxy_names_is_reached_directly(workshop, proxy, exception):
    gateway = serve(workshop, "http://upstream.test/mcp", HTTP_PROXY=f"http://127.0.0.1:{proxy.port}", NO_PROXY=exception)
    # Only the proxy knows the name.
    assert "upstream.test" in failure(gateway)
    assert not proxy.requests


def test_loopback_needs_no_proxy(workshop, plain, proxy):
    assert works(serve(workshop, plain.url, HTTP_PROXY=f"http://127.0.0.1:{proxy.port}"))
    assert not proxy.requests


@pytest.mark.parametrize("secure", ["upstream.test"], indirect=True)
def test_https_goes_through_a_tunnel_and_the_certificate_is_the_upstreams(workshop, secure, authority):
    proxy = Proxy({("upstream.test", 443): secure.port})
    try:
        gateway = serve(workshop, "https://upstream.test/mcp", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", SSL_CERT_FILE=str(authority.path))
        assert works(gateway)
        assert {(method, target) for method, target, _ in proxy.requests} == {("CONNECT", "upstream.test:443")}
    finally:
        proxy.stop()


def test_a_proxy_that_refuses_is_named_as_the_reason(workshop, proxy):
    gateway = serve(workshop, "http://elsewhere.test/mcp", HTTP_PROXY=f"http://127.0.0.1:{proxy.port}")
    assert "502" in failure(gateway)
