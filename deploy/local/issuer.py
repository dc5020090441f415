"""The local token issuer: an Ed25519 key, its public half as JWKS, and tokens for the services.

Only for one machine: whoever can read the key file can be anyone. A deployment has a real issuer.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import OKPKey

from deploy.local.keys import read_signing_key

AUDIENCE = "buurtbode"
_ALGORITHM = "Ed25519"
DEFAULT_TTL = timedelta(days=30)


ISSUER_PATH = "/issuer"
"""Where the sandbox serves the issuer's documents."""


def issuer_url(host: str, port: int) -> str:
    """Give the issuer's URL, which is below the sandbox's."""
    return f"http://{host}:{port}{ISSUER_PATH}"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues: the URL that tokens name and the key that signs them."""

    url: str
    key_file: Path

    def mint(
        self,
        role: str | Sequence[str],
        *,
        sub: str,
        zone: str | None = None,
        municipality: str | None = None,
        ttl: timedelta = DEFAULT_TTL,
    ) -> str:
        """Make a bearer token (JWT) for one subject with one role, or several.

        `municipality` is a NIS code.
        """
        issued = datetime.now(UTC)
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": sub,
            "roles": [role] if isinstance(role, str) else list(role),
            "iat": int(issued.timestamp()),
            "exp": int((issued + ttl).timestamp()),
        }
        if zone is not None:
            claims["zone"] = zone
        if municipality is not None:
            claims["municipality"] = municipality
        key = self._key()
        header = {"alg": _ALGORITHM, "kid": _key_id(key)}
        return jwt.encode(header, claims, key, algorithms=[_ALGORITHM])

    def key_set(self) -> dict[str, Any]:
        """Give the public key as a JWK set (RFC 7517)."""
        key = self._key()
        public = {**key.as_dict(private=False), "kid": _key_id(key)}
        return {"keys": [{**public, "use": "sig", "alg": _ALGORITHM}]}

    def discovery(self) -> dict[str, Any]:
        """Give the OpenID Connect discovery document, as far as it applies."""
        return {
            "issuer": self.url,
            "jwks_uri": self.jwks_url,
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [_ALGORITHM],
        }

    @property
    def jwks_url(self) -> str:
        """Where the key set is."""
        return f"{self.url}/jwks.json"

    def _key(self) -> OKPKey:
        return OKPKey.import_key(read_signing_key(self.key_file))


def _key_id(key: OKPKey) -> str:
    """Name a key by its contents, so that the name never lies."""
    public = str(key.as_dict(private=False)["x"])
    return hashlib.sha256(public.encode()).hexdigest()[:16]
