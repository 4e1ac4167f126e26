"""A browser without a window, and the SDK's OAuth client that uses it: it starts with nothing but the address."""

import contextlib
import html.parser
import http.client
import ssl
import urllib.parse

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

from .deadline import PATIENCE

CALLBACK = "http://127.0.0.1:3999/callback"


class Page:
    def __init__(self, url, status, headers, body):
        self.url, self.status, self.headers, self.body = url, status, headers, body
        self.text = body.decode("utf-8", "replace")
        self.location = urllib.parse.urljoin(url, headers["location"]) if "location" in headers else None

    @property
    def parameters(self):
        """The query of the redirect (or of the page's own address)."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.location or self.url).query))

    @property
    def forms(self):
        """The page's forms, each as {"action", "method", "fields"}; of buttons that have a name, the first."""
        forms = []

        class Reader(html.parser.HTMLParser):
            def handle_starttag(self, tag, attributes):
                given = dict(attributes)
                if tag == "form":
                    forms.append({"action": given.get("action"), "method": given.get("method", "get").upper(), "fields": {}})
                elif tag in ("input", "button") and forms and given.get("name"):
                    forms[-1]["fields"].setdefault(given["name"], given.get("value", ""))

        Reader().feed(self.text)
        return forms


class Browser:
    """Cookies by origin (host and port: stricter than real ones), redirects one at a time. `user`: who sits there, for the authorization server."""

    def __init__(self, user=None, trust=None):
        self.jar = {}
        self.user, self.trust = user, trust

    def open(self, url, method="GET", fields=None, headers=None):
        """One request; a redirect is not followed."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.trust)
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=PATIENCE, context=context)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        sent = {"Accept": "text/html", **(headers or {})}
        cookies = dict(self.jar.get(parts.netloc, {}))
        if self.user:
            cookies.setdefault("user", urllib.parse.quote(self.user))
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        body = None
        if fields is not None:
            body = urllib.parse.urlencode(fields)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            sent.setdefault("Origin", f"{parts.scheme}://{parts.netloc}")
        try:
            connection.request(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, sent)
            reply = connection.getresponse()
            for cookie in reply.headers.get_all("Set-Cookie") or []:
                name, value = cookie.split(";", 1)[0].split("=", 1)
                self.jar.setdefault(parts.netloc, {})[name.strip()] = value
            return Page(url, reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def submit(self, page, form=0, **fields):
        """Presses the button of a page's form."""
        found = page.forms[form]
        address = urllib.parse.urljoin(page.url, found["action"] or "")
        return self.open(address, found["method"], {**found["fields"], **fields})

    def follow(self, page, until=None, limit=10):
        """Follows redirects, up to an address that begins with `until`, which is not opened."""
        for _ in range(limit):
            if page.location is None or (until and page.location.startswith(until)):
                return page
            page = self.open(page.location)
        raise AssertionError(f"more than {limit} redirects, the last to {page.location}")


class Wallet:
    """What the SDK's client keeps between starts."""

    def __init__(self):
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


def provider(url, user="alice@example.com", wallet=None, scope=None):
    """The SDK's OAuth client for an address; `user` signs in with a browser of their own."""
    browser, returned = Browser(user), []

    async def redirect(address):
        page = browser.follow(browser.open(address), until=CALLBACK)
        assert page.location, f"no redirect back but {page.status}: {page.text[:500]}"
        returned.append(page.parameters)

    async def callback():
        got = returned.pop()
        assert "error" not in got, got
        return AuthorizationCodeResult(code=got["code"], state=got.get("state"), iss=got.get("iss"))

    metadata = OAuthClientMetadata(client_name="Interop agent", redirect_uris=[CALLBACK], scope=scope,
                                   grant_types=["authorization_code", "refresh_token"], response_types=["code"])
    return OAuthClientProvider(url, metadata, wallet or Wallet(), redirect, callback)


@contextlib.asynccontextmanager
async def signed_in(url, mode="auto", auth=None, headers=None, **options):
    """A client of the SDK (`mode`: auto | legacy), with any httpx authentication."""
    async with httpx2.AsyncClient(auth=auth, headers=headers, timeout=PATIENCE, follow_redirects=True) as http_client:
        async with Client(streamable_http_client(url, http_client=http_client), mode=mode, read_timeout_seconds=PATIENCE, **options) as client:
            yield client
