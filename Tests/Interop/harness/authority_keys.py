"""Signing keys of the authorization server, and tokens that no honest server would write."""

import base64
import hashlib
import hmac
import json
import secrets

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa


def base64url(data):
    if isinstance(data, (dict, list)):
        data = json.dumps(data, separators=(",", ":"))
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(token):
    """The claims as they stand, unverified."""
    return json.loads(unbase64url(token.split(".")[1]))


class SigningKey:
    """`algorithm`: RS256…512, PS256…512, ES256, ES384, ES512 or EdDSA."""

    def __init__(self, algorithm, kid=None, bits=2048):
        self.algorithm = algorithm
        self.kid = kid or f"{algorithm.lower()}-{secrets.token_hex(4)}"
        if algorithm[:2] in ("RS", "PS"):
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        elif algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            curve = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}[algorithm]
            self.private = ec.generate_private_key(curve())

    @property
    def public_pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def private_pem(self):
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()

    @property
    def jwk(self):
        public = json.loads(jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.private.public_key()))
        return {**{k: v for k, v in public.items() if k != "key_ops"}, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def sign(self, claims, **header):
        """A signed token; a header member that is None is left out."""
        header = {"typ": "at+jwt", "alg": self.algorithm, "kid": self.kid, **header}
        return self.sign_text({k: v for k, v in header.items() if v is not None}, claims)

    def sign_text(self, header, claims):
        """Signs what it is given, as it is given: header and claims may be texts that are no good JSON."""
        signed = f"{base64url(header)}.{base64url(claims)}"
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        return f"{signed}.{base64url(algorithm.sign(signed.encode(), self.private))}"

    # What attackers send

    def sign_as_hmac(self, claims, algorithm="HS256"):
        """Algorithm confusion: an HMAC whose secret is the public key (RFC 8725 §2.1)."""
        signed = f"{base64url({'typ': 'at+jwt', 'alg': algorithm, 'kid': self.kid})}.{base64url(claims)}"
        mac = hmac.new(self.public_pem, signed.encode(), getattr(hashlib, "sha" + algorithm[2:]))
        return f"{signed}.{base64url(mac.digest())}"

    def unsigned(self, claims, algorithm="none"):
        return f"{base64url({'typ': 'at+jwt', 'alg': algorithm, 'kid': self.kid})}.{base64url(claims)}."

    def tampered(self, token, **changes):
        """The token with other claims and its old signature."""
        header, _, signature = token.split(".")
        return f"{header}.{base64url({**claims_of(token), **changes})}.{signature}"
