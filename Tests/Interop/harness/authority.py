"""An authorization server, complete enough for OAuth 2.1 clients that know nothing but its address.

    with AuthorizationServer() as authority:                 # or tls=certificates.context("localhost"), host="localhost"
        authority.issuer                                     # http://127.0.0.1:PORT, or with path="/realms/acme"
        authority.clients.add("switchboard", secret="s3cret")            # client_secret_basic; method="client_secret_post"; keys=[SigningKey("ES256")]
        authority.token(user="alice@example.com", audience=url)          # an access token, as if she had signed in
        authority.token(user="alice@example.com", audience=url, iss="https://evil.example")    # claims as wanted
        authority.key.sign_as_hmac(claims); authority.key.unsigned(claims); SigningKey("RS256").sign(claims)       # attacks
        authority.rotate("ES256")                            # a new signing key; the old stays published until forget_old_keys()
        authority.fault = 503 | "close" | "garbage" | None   # what every endpoint does; `faults["/token"] = …` for one
        authority.journal                                    # one dict for each request: path, form (secrets included), client, method, error
        authority.asked("/token", grant_type="refresh_token")            # those of one kind

It offers discovery (RFC 8414 and OIDC, each switchable by `discovery`), JWKS, authorization code with PKCE and RFC 9207 `iss`, refresh with
rotation and reuse detection, client_credentials (post, basic, private_key_jwt), token exchange (RFC 8693), dynamic registration (RFC 7591),
client-id metadata documents, resource indicators (RFC 8707), revocation (RFC 7009). Access tokens are JWTs of RFC 9068.

Signing in: the browser's cookie `user=NAME` says who sits there, else `authority.user`. With `interactive = True` a page asks, and its
form (POST, same address) approves with `decision=allow` or `deny`. By default a GET is answered with the redirect at once.

By hand:  python -m harness.authority PORT   (in Tests/Interop), with POST /control/token {"user":…,"audience":…} and POST /control/rotate {"algorithm":…}.
"""

import html
import http.server
import json
import secrets
import sys
import threading
import time
import urllib.parse

import jwt

from .authority_clients import METHODS, Clients, OAuthError
from .authority_grants import GRANTS, Grants
from .authority_keys import SigningKey

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]


class AuthorizationServer:
    """See the module. All attributes may be changed while it runs."""

    def __init__(self, algorithm="RS256", path="", host="127.0.0.1", port=0, tls=None, trust=None):
        self.path, self.host, self.tls = path, host, tls
        self.keys = [SigningKey(algorithm)]
        self.clients = Clients(trust=trust)
        self.grants = GRANTS
        self.handed_out = Grants(self)
        self.trusted = []               # other AuthorizationServers whose tokens may be exchanged
        self.user, self.interactive = "alice@example.com", False
        self.users = {"alice@example.com": ["engineers"], "bob@example.com": ["sales"], "root@example.com": ["admins"]}
        self.lifetime = 300             # seconds of an access token
        self.scopes, self.default_scopes = None, ()      # None: any
        self.resources, self.require_resource = None, False
        self.default_audience = "https://default.example"
        self.exchange_audience = None   # what a subject token's `aud` must hold
        self.registration, self.rotate_refresh_tokens, self.sends_iss = True, True, True
        self.discovery = {"oauth", "oidc", "oidc-path"}
        self.metadata_changes = {}      # members to replace in the metadata; None takes one away
        self.jwks_max_age = 300
        self.fault, self.faults = None, {}
        self.journal, self.lock = [], threading.Lock()
        self.server = None
        self._listen(port)

    # Life

    def _listen(self, port):
        outer = self
        handler = type("Handler", (_Handler,), {"authority": outer})
        self.server = http.server.ThreadingHTTPServer((self.host if self.host != "localhost" else "127.0.0.1", port), handler)
        self.server.daemon_threads = True
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        """Connections are refused from now on."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def start(self):
        """Again, on the same port, with the same memory."""
        if self.server is None:
            self._listen(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # What it is

    @property
    def origin(self):
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def issuer(self):
        return self.origin + self.path

    @property
    def token_url(self):
        return self.issuer + "/token"

    @property
    def jwks_url(self):
        return self.issuer + "/jwks"

    @property
    def key(self):
        """The key that signs."""
        return self.keys[-1]

    def metadata(self):
        document = {
            "issuer": self.issuer, "authorization_endpoint": self.issuer + "/authorize", "token_endpoint": self.token_url,
            "jwks_uri": self.jwks_url, "revocation_endpoint": self.issuer + "/revoke",
            "response_types_supported": ["code"], "response_modes_supported": ["query"], "grant_types_supported": list(self.grants),
            "token_endpoint_auth_methods_supported": list(METHODS),
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS, "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.sends_iss,
            "client_id_metadata_document_supported": self.clients.metadata_documents,
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ALGORITHMS,
        }
        if self.registration:
            document["registration_endpoint"] = self.issuer + "/register"
        if self.scopes is not None:
            document["scopes_supported"] = list(self.scopes)
        document |= self.metadata_changes
        return {key: value for key, value in document.items() if value is not None}

    # Keys

    def rotate(self, algorithm=None, **more):
        """A new key signs from now on; the old ones stay published."""
        self.keys = [*self.keys, SigningKey(algorithm or self.key.algorithm, **more)]
        return self.key

    def forget_old_keys(self):
        self.keys = [self.key]

    # Tokens

    def groups(self, user):
        return self.users.get(user)

    def claims(self, user, client, audience, scopes=(), groups=None, lifetime=None, **more):
        now = int(time.time())
        found = {"iss": self.issuer, "sub": user, "aud": audience or self.default_audience, "client_id": client, "azp": client, "iat": now,
                 "exp": now + (lifetime or self.lifetime), "jti": secrets.token_hex(8), "scope": " ".join(scopes), "groups": groups, **more}
        return {key: value for key, value in found.items() if value is not None}

    def token(self, user="alice@example.com", client="agent", audience=None, scopes=(), key=None, header=None, **more):
        """An access token; `more` replaces claims (None takes one away), `header` members of the header."""
        more.setdefault("groups", self.groups(user))
        return (key or self.key).sign(self.claims(user, client, audience, scopes, **more), **(header or {}))

    def response(self, subject, client, scopes, audience, groups, **more):
        token = self.key.sign(self.claims(subject, client, audience, scopes, groups, **more))
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime, "scope": " ".join(scopes)}

    def id_token(self, user, client, nonce):
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": user, "aud": client, "iat": now, "exp": now + 300} | ({"nonce": nonce} if nonce else {})
        return self.key.sign(claims, typ="JWT")

    def verify(self, token, audience=None):
        """The claims of an access token by this server or one it trusts; raises OAuthError."""
        try:
            head = jwt.get_unverified_header(token)
            claims = jwt.decode(token, options={"verify_signature": False})
            source = next((a for a in (self, *self.trusted) if a.issuer == claims.get("iss")), None)
            key = next((k for k in source.keys if k.kid == head.get("kid")), None) if source else None
            if key is None or head.get("typ") != "at+jwt":
                raise OAuthError("invalid_grant", "no access token of a server that is known here")
            return jwt.decode(token, key.private.public_key(), [key.algorithm], audience=audience,
                              options={"verify_aud": audience is not None, "require": ["exp", "sub", "aud"]})
        except jwt.PyJWTError as error:
            raise OAuthError("invalid_grant", str(error)) from None

    # What happened

    def note(self, **entry):
        with self.lock:
            self.journal.append({"time": time.time(), **entry})

    def asked(self, path, **form):
        """The requests for a path whose form (or query) says so."""
        with self.lock:
            entries = list(self.journal)
        return [e for e in entries if e["path"] == path and all(e["form"].get(k) == v for k, v in form.items())]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    authority = None

    def do_GET(self):
        self._serve("GET")

    def do_POST(self):
        self._serve("POST")

    def _serve(self, method):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urllib.parse.urlsplit(self.path)
        path = self._local(parts.path)
        self.entry = {"path": path or parts.path, "method": method, "form": {}, "headers": dict(self.headers)}
        fault = self.authority.faults.get(path, self.authority.fault)
        try:
            if fault:
                self.entry["fault"] = fault
                return self._fail(fault)
            route = {
                ("GET", "/metadata"): self._metadata, ("GET", "/jwks"): self._jwks, ("GET", "/authorize"): self._authorize,
                ("POST", "/authorize"): self._authorize, ("POST", "/token"): self._token, ("POST", "/register"): self._register,
                ("POST", "/revoke"): self._revoke, ("POST", "/control/token"): self._control_token,
                ("POST", "/control/rotate"): self._control_rotate,
            }.get((method, path))
            if route is None:
                return self._send(404, {"error": "not_found"})
            self.query = self._parameters(parts.query)
            route()
        except OAuthError as error:
            self.entry["error"] = str(error)
            headers = {"WWW-Authenticate": "Basic"} if error.status == 401 else {}
            self._send(error.status, {"error": error.code, "error_description": error.description}, **headers)
        finally:
            self.authority.note(**self.entry)

    def _local(self, path):
        base, known = self.authority.path, self.authority.discovery
        documents = {"/.well-known/oauth-authorization-server" + base: "oauth", "/.well-known/openid-configuration" + base: "oidc",
                     base + "/.well-known/openid-configuration": "oidc-path"}
        if path in documents:
            kinds = {"oidc", "oidc-path"} if not base and documents[path] != "oauth" else {documents[path]}
            return "/metadata" if kinds & known else None
        return path[len(base):] if path.startswith(base + "/") else None

    @staticmethod
    def _parameters(text):
        pairs = urllib.parse.parse_qsl(text, keep_blank_values=True)
        # RFC 6749 §3.2: parameters must not be included more than once.
        if len({name for name, _ in pairs}) != len(pairs):
            raise OAuthError("invalid_request", "a parameter stands twice")
        return dict(pairs)

    def _form(self):
        if self.headers.get_content_type() != "application/x-www-form-urlencoded":
            raise OAuthError("invalid_request", "not a form")
        self.entry["form"] = form = self._parameters(self.body.decode())
        return form

    def _fail(self, fault):
        if fault == "close":
            self.close_connection = True
        elif fault == "garbage":
            self._send(200, b"<html>not what you asked for")
        else:
            self._send(fault, {"error": "temporarily_unavailable"})

    # Endpoints

    def _metadata(self):
        self._send(200, self.authority.metadata())

    def _jwks(self):
        self._send(200, {"keys": [key.jwk for key in self.authority.keys]}, **{"Cache-Control": f"max-age={self.authority.jwks_max_age}"})

    def _authorize(self):
        authority = self.authority
        self.entry["form"] = self.query
        client = authority.clients.find(self.query.get("client_id"))
        redirect = self.query.get("redirect_uri")
        # Nothing is ever sent to an address that the client did not register.
        if redirect not in client["redirect_uris"]:
            raise OAuthError("invalid_request", f"redirect_uri {redirect!r} is not registered")
        cookies = dict(pair.strip().split("=", 1) for pair in self.headers.get("Cookie", "").split(";") if "=" in pair)
        user = urllib.parse.unquote(cookies.get("user", authority.user))
        decision = "allow"
        if authority.interactive:
            if self.entry["method"] == "GET":
                return self._page(client, user)
            decision = self._form().get("decision")
            self.entry["form"] = {**self.query, **self.entry["form"]}
        answer = {"state": self.query["state"]} if "state" in self.query else {}
        if authority.sends_iss:
            answer["iss"] = authority.issuer
        try:
            if decision != "allow":
                raise OAuthError("access_denied", "the user said no")
            answer["code"] = authority.handed_out.authorize(self.query, user)
        except OAuthError as error:
            self.entry["error"] = str(error)
            answer |= {"error": error.code, "error_description": error.description}
        separator = "&" if "?" in redirect else "?"
        self._send(302, b"", Location=redirect + separator + urllib.parse.urlencode(answer))

    def _page(self, client, user):
        name = html.escape(str(client.get("client_name") or client["client_id"]))
        scope = html.escape(self.query.get("scope", "nothing in particular"))
        self._send(200, f"<!doctype html><title>Sign in</title><h1>{name}</h1><p>wants {scope} for {html.escape(user)}</p>"
                   '<form method="post"><button name="decision" value="allow">Allow</button>'
                   '<button name="decision" value="deny">Deny</button></form>'.encode(), **{"Content-Type": "text/html; charset=utf-8"})

    def _token(self):
        form = self._form()
        client, self.entry["client_auth"] = self.authority.clients.authenticate(
            self.headers, form, [self.authority.token_url, self.authority.issuer])
        self.entry["client"] = client["client_id"]
        answer = self.authority.handed_out.token(client, form)
        self.entry["issued"] = answer["access_token"]
        self._send(200, answer, **{"Cache-Control": "no-store"})

    def _register(self):
        if not self.authority.registration:
            return self._send(404, {"error": "not_found"})
        try:
            self.entry["form"] = document = json.loads(self.body)
        except ValueError:
            raise OAuthError("invalid_client_metadata", "no JSON") from None
        self._send(201, self.authority.clients.register(document))

    def _revoke(self):
        form = self._form()
        client, _ = self.authority.clients.authenticate(self.headers, form, [self.authority.token_url, self.authority.issuer])
        self.authority.handed_out.revoke(client, form)
        self._send(200, {})

    def _control_token(self):
        self._send(200, {"token": self.authority.token(**json.loads(self.body or b"{}"))})

    def _control_rotate(self):
        self._send(200, {"kid": self.authority.rotate(**json.loads(self.body or b"{}")).kid})

    def _send(self, status, body, **headers):
        if isinstance(body, dict):
            body = json.dumps({k: v for k, v in body.items() if v is not None}).encode()
            headers.setdefault("Content-Type", "application/json")
        self.entry["status"] = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    with AuthorizationServer(port=int(sys.argv[1]) if len(sys.argv) > 1 else 0) as running:
        print(f"issuer {running.issuer}", file=sys.stderr, flush=True)
        threading.Event().wait()
