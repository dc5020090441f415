"""Who is calling: OIDC bearer tokens turned into a `Caller`, and roles as types of dependency.

Algorithms are pinned by the settings, never taken from the token. What a caller may not see
answers 404; only a missing or invalid token answers 401.
"""

import asyncio
from typing import Annotated, Any, cast

import httpx
import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.callers import Caller, Role
from shared.clock import Clock
from shared.http import Problem
from shared.settings import OidcSettings

_LEEWAY_S = 30
_REFETCH_S = 30.0
"""An unknown `kid` fetches the key set again, at most this often."""


class Authenticator:
    """Checks bearer tokens against the issuer's key set."""

    def __init__(self, settings: OidcSettings, clock: Clock, http: httpx.AsyncClient) -> None:
        """Bind; keys are fetched at the first token."""
        self._settings = settings
        self._clock = clock
        self._http = http
        self._keys: KeySet | None = None
        self._fetched = 0.0
        self._lock = asyncio.Lock()
        self._logger = structlog.get_logger(part="authenticator")

    async def caller(self, request: Request) -> Caller:
        """Give the caller of a request. Raises `Problem` 401, or 503 while the issuer is away."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorised("send a bearer token in the Authorization header")
        keys = await self._key_set(fresh=False)
        try:
            claims = self._claims(token, keys)
        except (JoseError, ValueError):
            # perhaps signed with a key that came after ours
            try:
                claims = self._claims(token, await self._key_set(fresh=True))
            except (JoseError, ValueError):
                raise _unauthorised("the token is not valid here, or has expired") from None
        return _caller(claims)

    def _claims(self, token: str, keys: KeySet) -> dict[str, Any]:
        decoded = jwt.decode(token, keys, algorithms=list(self._settings.algorithms))
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock.now().timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        registry.validate(decoded.claims)
        return decoded.claims

    async def _key_set(self, *, fresh: bool) -> KeySet:
        async with self._lock:
            now = self._clock.monotonic()
            if self._keys is not None and (not fresh or now - self._fetched < _REFETCH_S):
                return self._keys
            try:
                answer = await self._http.get(str(self._settings.jwks_url), timeout=5)
                answer.raise_for_status()
                self._keys = KeySet.import_key_set(answer.json())
            except (httpx.HTTPError, JoseError, ValueError) as error:
                self._logger.warning("no key set", error=type(error).__name__)
                if self._keys is None:
                    raise Problem(
                        503, "issuer-unavailable", "The token issuer does not answer; try again."
                    ) from None
            self._fetched = now
            return self._keys


def _caller(claims: dict[str, Any]) -> Caller:
    raw: object = claims.get("roles")
    names = cast("list[object]", raw) if isinstance(raw, list) else []
    known = {str(role) for role in Role}
    zone, municipality = claims.get("zone"), claims.get("municipality")
    return Caller(
        subject=str(claims["sub"]),
        roles=frozenset(Role(str(name)) for name in names if str(name) in known),
        zone=str(zone) if zone else None,
        municipality=str(municipality) if municipality else None,
    )


def _unauthorised(detail: str) -> Problem:
    return Problem(401, "unauthorised", detail, headers={"WWW-Authenticate": "Bearer"})


_BEARER = HTTPBearer(auto_error=False, bearerFormat="JWT", description="An OIDC access token.")
"""Only tells the OpenAPI document; `Authenticator` reads the header."""


async def caller(
    request: Request,
    _token: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)] = None,
) -> Caller:
    """FastAPI dependency: the authenticated caller. Every route but the public ones has it."""
    authenticator: Authenticator = request.app.state.authenticator
    return await authenticator.caller(request)


class Roles:
    """FastAPI dependency: a caller who has one of the roles; anyone else gets 404.

    Use as `caller: Annotated[Caller, Depends(Roles(Role.POLICE))]`.
    """

    def __init__(self, *roles: Role) -> None:
        """Name the roles."""
        self.roles = roles

    async def __call__(self, who: Annotated[Caller, Depends(caller)]) -> Caller:
        """Check the authenticated caller."""
        if not who.has(*self.roles):
            raise not_found()
        return who


def not_found() -> Problem:
    """Say that something is not there, or not for this caller: the two look the same."""
    return Problem(404, "not-found", "There is nothing here that you may see.")
