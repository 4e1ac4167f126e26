"""The grants of the authorization server: code with PKCE, refresh with rotation, client credentials, token exchange."""

import base64
import hashlib
import re
import secrets
import threading
import time

import jwt

from .authority_clients import OAuthError

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
GRANTS = ("authorization_code", "refresh_token", "client_credentials", EXCHANGE)


class Grants:
    """`authority` signs; what was handed out is remembered here."""

    def __init__(self, authority):
        self.authority = authority
        self.codes, self.refresh_tokens, self.revoked_families = {}, {}, set()
        self.lock = threading.Lock()

    # The front channel

    def authorize(self, query, user):
        """Checks an authorization request whose client and redirect address are good; returns a code."""
        if query.get("response_type") != "code":
            raise OAuthError("unsupported_response_type", "only code")
        if query.get("code_challenge_method") != "S256" or not re.fullmatch(r"[A-Za-z0-9_-]{43}", query.get("code_challenge", "")):
            raise OAuthError("invalid_request", "PKCE with S256 is needed")
        self._target(query.get("resource"))
        scopes = self._scopes(query.get("scope"))
        code = secrets.token_urlsafe(24)
        with self.lock:
            self.codes[code] = {
                "client_id": query["client_id"], "redirect_uri": query["redirect_uri"], "challenge": query["code_challenge"],
                "resource": query.get("resource"), "scopes": scopes, "user": user, "nonce": query.get("nonce"),
                "family": secrets.token_hex(8), "until": time.time() + 60}
        return code

    # The token endpoint

    def token(self, client, form):
        grant = form.get("grant_type")
        offered = {"authorization_code": self._code, "refresh_token": self._refresh,
                   "client_credentials": self._client_credentials, EXCHANGE: self._exchange}
        if grant not in offered or grant not in self.authority.grants:
            raise OAuthError("unsupported_grant_type", grant)
        allowed = client["grant_types"]
        if allowed is not None and grant not in (*allowed, "refresh_token"):
            raise OAuthError("unauthorized_client", f"this client is not registered for {grant}")
        return offered[grant](client, form)

    def _code(self, client, form):
        with self.lock:
            found = self.codes.get(form.get("code"))
            if found is None:
                raise OAuthError("invalid_grant", "unknown code")
            if found.get("used"):
                # RFC 6749 §4.1.2: a code that comes twice takes back what was given for it.
                self.revoked_families.add(found["family"])
                raise OAuthError("invalid_grant", "the code was used before")
            found["used"] = True
        if found["client_id"] != client["client_id"] or found["until"] < time.time():
            raise OAuthError("invalid_grant", "the code is another client's or too old")
        if form.get("redirect_uri") != found["redirect_uri"]:
            raise OAuthError("invalid_grant", "redirect_uri differs")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != found["challenge"]:
            raise OAuthError("invalid_grant", "code_verifier does not fit")
        if form.get("resource") not in (None, found["resource"]):
            raise OAuthError("invalid_target", "resource differs from the authorization request's")
        return self._issue(client, found["user"], found["scopes"], found["resource"], found["family"], found["nonce"])

    def _refresh(self, client, form):
        with self.lock:
            found = self.refresh_tokens.get(form.get("refresh_token"))
            if found is None or found["client_id"] != client["client_id"] or found["family"] in self.revoked_families:
                raise OAuthError("invalid_grant", "unknown or revoked refresh token")
            if found.get("used") and self.authority.rotate_refresh_tokens:
                # RFC 9700 §4.14.2: one of the two that hold it is a thief.
                self.revoked_families.add(found["family"])
                raise OAuthError("invalid_grant", "the refresh token was used before")
            found["used"] = True
        scopes = self._scopes(form.get("scope")) if form.get("scope") else found["scopes"]
        if not set(scopes) <= set(found["scopes"]):
            raise OAuthError("invalid_scope", "more than was granted")
        if form.get("resource") not in (None, found["resource"]):
            raise OAuthError("invalid_target", "resource differs from the grant's")
        return self._issue(client, found["user"], scopes, found["resource"], found["family"], refreshed=form["refresh_token"])

    def _client_credentials(self, client, form):
        if client["token_endpoint_auth_method"] == "none":
            raise OAuthError("unauthorized_client", "a public client has no credentials")
        target = self._target(form.get("resource") or form.get("audience"))
        scopes = self._scopes(form.get("scope"))
        return self.authority.response(client["client_id"], client["client_id"], scopes, target, groups=None)

    def _exchange(self, client, form):
        """RFC 8693 §2: the subject's token for another audience; who asked stands in `act`."""
        if form.get("subject_token_type") not in (ACCESS_TOKEN, JWT_TYPE) or not form.get("subject_token"):
            raise OAuthError("invalid_request", "subject_token and its type are needed")
        if form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
            raise OAuthError("invalid_request", "only access tokens are issued")
        subject = self.authority.verify(form["subject_token"])
        if self.authority.exchange_audience and self.authority.exchange_audience not in _list(subject["aud"]):
            raise OAuthError("invalid_request", "the subject token was not meant for this client")
        target = self._target(form.get("resource") or form.get("audience"))
        answer = self.authority.response(
            subject["sub"], client["client_id"], self._scopes(form.get("scope")), target, groups=subject.get("groups"),
            act={"sub": client["client_id"]})
        return {**answer, "issued_token_type": ACCESS_TOKEN}

    def revoke(self, client, form):
        """RFC 7009: an unknown token is no error."""
        with self.lock:
            found = self.refresh_tokens.get(form.get("token"))
            if found and found["client_id"] == client["client_id"]:
                self.revoked_families.add(found["family"])

    def _issue(self, client, user, scopes, resource, family, nonce=None, refreshed=None):
        answer = self.authority.response(user, client["client_id"], scopes, resource, groups=self.authority.groups(user))
        if "openid" in scopes:
            answer["id_token"] = self.authority.id_token(user, client["client_id"], nonce)
        if refreshed and not self.authority.rotate_refresh_tokens:
            return answer
        token = secrets.token_urlsafe(24)
        with self.lock:
            self.refresh_tokens[token] = {
                "client_id": client["client_id"], "user": user, "scopes": scopes, "resource": resource, "family": family}
        return {**answer, "refresh_token": token}

    def _scopes(self, asked):
        scopes = (asked or "").split() or list(self.authority.default_scopes)
        unknown = set(scopes) - set(self.authority.scopes) if self.authority.scopes is not None else ()
        if unknown:
            raise OAuthError("invalid_scope", " ".join(sorted(unknown)))
        return scopes

    def _target(self, resource):
        if resource is None and self.authority.require_resource:
            raise OAuthError("invalid_target", "resource is needed (RFC 8707)")
        known = self.authority.resources
        if resource is not None and known is not None and resource not in known:
            raise OAuthError("invalid_target", f"unknown resource {resource!r}")
        if resource is not None and "#" in resource:
            raise OAuthError("invalid_target", "a resource has no fragment")
        return resource


def _list(value):
    return value if isinstance(value, list) else [value]
