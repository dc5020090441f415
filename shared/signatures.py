"""Police signatures: a detached JWS (RFC 7515, appendix F) by an Ed25519 key over the exact bytes.

The protected header holds `alg` (`EdDSA`, or RFC 9864's `Ed25519`), `kid`, `zone` and `topic`, so
that a signature is worth nothing for another zone or topic. Used by both judges and by the
command line, and nowhere a private key of somebody else is stored.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.registry import HeaderParameter
from joserfc.util import urlsafe_b64decode

from shared.contracts.dispatcher import Reason
from shared.contracts.registry import PublisherKey, Zone

_ALGORITHMS = ["EdDSA", "Ed25519"]
_MAX_TOKEN = 2048


class SignatureRefused(Exception):  # noqa: N818 - a verdict, not an error of ours
    """The signature does not hold; `reason` says why, without anything of the message."""

    def __init__(self, reason: Reason, field: str) -> None:
        """Name the reason and the header or field to blame."""
        super().__init__(f"{reason} ({field})")
        self.reason = reason
        self.field = field


@dataclass(frozen=True, slots=True)
class ProtectedHeader:
    """The signed part of a signature's header."""

    kid: str
    zone: str
    topic: str


def _registry() -> jws.JWSRegistry:
    return jws.JWSRegistry(
        algorithms=_ALGORITHMS,
        header_registry={
            "zone": HeaderParameter("The police zone", "str", required=True),
            "topic": HeaderParameter("The topic it is meant for", "str", required=True),
        },
    )


def new_key(kid: str) -> OKPKey:
    """Make a private key; `key.as_dict(private=False)` is what gets enrolled."""
    return OKPKey.generate_key("Ed25519", parameters={"kid": kid, "use": "sig"})


def sign(value: bytes, key: OKPKey, *, kid: str, zone: str, topic: str) -> str:
    """Sign exact bytes and give the detached token for the header."""
    protected = {"alg": "Ed25519", "kid": kid, "zone": zone, "topic": topic}
    token = jws.serialize_compact(protected, value, key, registry=_registry())
    return jws.detach_content(token)


def read_header(token: str, field: str) -> ProtectedHeader:
    """Read the protected header, unverified. Raises `SignatureRefused` on anything unexpected."""
    parts = token.split(".")
    # a token with its own payload would be verified against that payload, not against the record
    if len(token) > _MAX_TOKEN or len(parts) != 3 or parts[1] != "":  # noqa: PLR2004
        raise SignatureRefused(Reason.MALFORMED_SIGNATURE, field)
    try:
        header: Any = json.loads(urlsafe_b64decode(parts[0].encode()))
    except ValueError:
        raise SignatureRefused(Reason.MALFORMED_SIGNATURE, field) from None
    if not isinstance(header, dict):
        raise SignatureRefused(Reason.MALFORMED_SIGNATURE, field)
    values = cast("dict[str, object]", header)
    if set(values) != {"alg", "kid", "zone", "topic"} or values["alg"] not in _ALGORITHMS:
        raise SignatureRefused(Reason.MALFORMED_SIGNATURE, field)
    kid, zone, topic = values["kid"], values["zone"], values["topic"]
    if not (isinstance(kid, str) and isinstance(zone, str) and isinstance(topic, str)):
        raise SignatureRefused(Reason.MALFORMED_SIGNATURE, field)
    return ProtectedHeader(kid, zone, topic)


def verify(
    value: bytes, token: str, zone: Zone, *, topic: str, now: datetime, field: str
) -> PublisherKey:
    """Give the zone's key that signed these bytes for this topic.

    `now` is the judge's clock: a key counts if it is confirmed, current and unrevoked then,
    whatever the message says of its own time. Raises `SignatureRefused`.
    """
    header = read_header(token, field)
    if header.zone != zone.zone_id:
        raise SignatureRefused(Reason.SIGNATURE_FOR_OTHER_ZONE, field)
    if header.topic != topic:
        raise SignatureRefused(Reason.SIGNATURE_FOR_OTHER_TOPIC, field)
    key = _usable(zone.keys, header.kid, now, field)
    try:
        signed = jws.deserialize_compact(
            token, OKPKey.import_key(cast("Any", key.jwk)), payload=value, registry=_registry()
        )
    except (JoseError, ValueError):
        raise SignatureRefused(Reason.WRONG_SIGNATURE, field) from None
    if signed.payload != value:
        raise SignatureRefused(Reason.WRONG_SIGNATURE, field)
    return key


def _usable(keys: Iterable[PublisherKey], kid: str, now: datetime, field: str) -> PublisherKey:
    key = next((key for key in keys if key.kid == kid), None)
    if key is None:
        raise SignatureRefused(Reason.UNKNOWN_KEY, field)
    if key.confirmed_by is None:
        raise SignatureRefused(Reason.KEY_NOT_CONFIRMED, field)
    if key.revoked_at is not None:
        raise SignatureRefused(Reason.KEY_REVOKED, field)
    if not key.nbf <= now < key.exp:
        raise SignatureRefused(Reason.KEY_NOT_CURRENT, field)
    return key


def check_issuer(key: PublisherKey, issued_by: str) -> None:
    """Hold the message's `issued_by` against its signer: the officer, or a system key's `kid`."""
    if issued_by != (key.officer_id or key.kid):
        raise SignatureRefused(Reason.NOT_THE_SIGNER, "issued_by")
