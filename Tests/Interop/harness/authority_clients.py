"""Who may ask the authorization server for tokens, and how they prove who they are (RFC 6749 §2.3, RFC 7523, RFC 7591)."""

import base64
import binascii
import json
import secrets
import threading
import time
import urllib.parse
import urllib.request

import jwt

METHODS = ("none", "client_secret_basic", "client_secret_post", "private_key_jwt")
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class OAuthError(Exception):
    """An error of RFC 6749 §5.2 and its relatives."""

    def __init__(self, code, description=None, status=400):
        super().__init__(f"{code}: {description}")
        self.code, self.description, self.status = code, description, status


class Clients:
    """The registered clients. `metadata_documents` says whether an address may be a client's id."""

    def __init__(self, metadata_documents=True, trust=None):
        self.known = {}
        self.metadata_documents, self.trust = metadata_documents, trust
        self.assertions = set()
        self.lock = threading.Lock()

    def add(self, client_id, secret=None, method=None, keys=(), redirect_uris=(), grants=None, secrets_too=()):
        """A client that is known beforehand; `keys` are its SigningKeys for private_key_jwt, `secrets_too` more valid secrets."""
        method = method or ("private_key_jwt" if keys else "client_secret_basic" if secret else "none")
        self.known[client_id] = {
            "client_id": client_id, "secrets": [s for s in (secret, *secrets_too) if s], "token_endpoint_auth_method": method,
            "keys": list(keys), "redirect_uris": list(redirect_uris), "grant_types": grants}
        return self.known[client_id]

    def register(self, metadata):
        """Dynamic registration (RFC 7591); returns the response."""
        method = metadata.get("token_endpoint_auth_method", "client_secret_basic")
        grants = metadata.get("grant_types", ["authorization_code"])
        uris = metadata.get("redirect_uris", [])
        if method not in METHODS or method == "private_key_jwt":
            raise OAuthError("invalid_client_metadata", f"token_endpoint_auth_method {method!r} is not offered here")
        if "authorization_code" in grants and not uris:
            raise OAuthError("invalid_redirect_uri", "redirect_uris is needed")
        for uri in uris:
            self.check_redirect(uri)
        client_id = "dyn-" + secrets.token_hex(8)
        secret = None if method == "none" else secrets.token_urlsafe(24)
        self.add(client_id, secret, method, redirect_uris=uris, grants=grants)
        self.known[client_id]["client_name"] = metadata.get("client_name")
        answer = {**metadata, "client_id": client_id, "client_id_issued_at": int(time.time()), "grant_types": grants,
                  "token_endpoint_auth_method": method, "redirect_uris": uris}
        return answer | ({"client_secret": secret, "client_secret_expires_at": 0} if secret else {})

    @staticmethod
    def check_redirect(uri):
        parts = urllib.parse.urlsplit(uri)
        if parts.fragment or not (parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost", "::1")):
            raise OAuthError("invalid_redirect_uri", f"{uri!r} is neither https nor loopback")

    def find(self, client_id):
        if client_id in self.known:
            return self.known[client_id]
        if self.metadata_documents and client_id and client_id.startswith("https://"):
            return self._fetched(client_id)
        raise OAuthError("invalid_client", "unknown client", 401)

    def _fetched(self, url):
        """A client-id metadata document: it must name itself."""
        try:
            with urllib.request.urlopen(url, timeout=5, context=self.trust) as reply:
                document = json.loads(reply.read(10_000))
        except (OSError, ValueError) as error:
            raise OAuthError("invalid_client", f"no client-id metadata document: {error}", 401) from None
        if document.get("client_id") != url or "client_secret" in document or not document.get("redirect_uris"):
            raise OAuthError("invalid_client", "the client-id metadata document does not fit its address", 401)
        if document.get("token_endpoint_auth_method", "none") != "none":
            raise OAuthError("invalid_client", "only public clients may be metadata documents here", 401)
        client = self.add(url, redirect_uris=document["redirect_uris"], grants=document.get("grant_types"))
        client["client_name"] = document.get("client_name")
        return client

    def authenticate(self, headers, form, audiences):
        """The client that asks, and its method; exactly one proof, and the one it registered."""
        proofs = []
        authorization = headers.get("Authorization", "")
        if authorization:
            proofs.append("client_secret_basic")
        if "client_secret" in form:
            proofs.append("client_secret_post")
        if "client_assertion" in form:
            proofs.append("private_key_jwt")
        if len(proofs) > 1:
            raise OAuthError("invalid_request", "more than one client authentication")
        method = proofs[0] if proofs else "none"
        if method == "client_secret_basic":
            client_id, secret = self._basic(authorization)
            if form.get("client_id", client_id) != client_id:
                raise OAuthError("invalid_request", "client_id differs")
        elif method == "private_key_jwt":
            return self._assertion(form, audiences), method
        else:
            client_id, secret = form.get("client_id"), form.get("client_secret")
        client = self.find(client_id)
        if client["token_endpoint_auth_method"] != method:
            raise OAuthError("invalid_client", f"this client uses {client['token_endpoint_auth_method']}, not {method}", 401)
        if method != "none" and not any(secrets.compare_digest(secret.encode(), s.encode()) for s in client["secrets"]):
            raise OAuthError("invalid_client", "wrong secret", 401)
        return client, method

    @staticmethod
    def _basic(authorization):
        try:
            scheme, value = authorization.split(" ", 1)
            client_id, secret = base64.b64decode(value, validate=True).decode().split(":", 1)
        except (ValueError, binascii.Error):
            raise OAuthError("invalid_client", "malformed Basic", 401) from None
        if scheme.lower() != "basic":
            raise OAuthError("invalid_client", "not Basic", 401)
        # RFC 6749 §2.3.1: both are form-encoded first.
        return urllib.parse.unquote_plus(client_id), urllib.parse.unquote_plus(secret)

    def _assertion(self, form, audiences):
        if form.get("client_assertion_type") != ASSERTION:
            raise OAuthError("invalid_client", "client_assertion_type", 401)
        assertion = form["client_assertion"]
        try:
            head = jwt.get_unverified_header(assertion)
            client = self.find(jwt.decode(assertion, options={"verify_signature": False}).get("iss"))
            keys = [k for k in client["keys"] if head.get("kid") in (None, k.kid) and k.algorithm == head["alg"]]
            if not keys:
                raise OAuthError("invalid_client", "no key of this client fits", 401)
            claims = jwt.decode(assertion, keys[0].private.public_key(), [head["alg"]], audience=audiences,
                                options={"require": ["iss", "sub", "aud", "exp", "jti"]})
        except jwt.PyJWTError as error:
            raise OAuthError("invalid_client", f"client_assertion: {error}", 401) from None
        if claims["iss"] != claims["sub"] or form.get("client_id", claims["sub"]) != claims["sub"]:
            raise OAuthError("invalid_client", "iss, sub and client_id must be the same", 401)
        with self.lock:
            if claims["jti"] in self.assertions:
                raise OAuthError("invalid_client", "this assertion was used before", 401)
            self.assertions.add(claims["jti"])
        return client
