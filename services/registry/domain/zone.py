"""A police zone: its officers, and the keys with which its police sign."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import EmailStr, StringConstraints

from services.registry.domain.aggregate import Aggregate, Value
from services.registry.domain.failures import Conflict, Invalid, NotThere
from shared.contracts.base import RESERVED_ZONE_IDS, Id, Language, UtcTime, ZoneId
from shared.contracts.registry import LegalBasis, PublisherKey, Zone, ZoneContact, ZoneOfficer

_JWK_MEMBERS = frozenset({"kty", "crv", "x", "kid", "use", "alg"})
_KEY_BYTES = 32


def check_zone_id(zone_id: str) -> None:
    """Refuse an id that means something else elsewhere. Raises `Invalid`."""
    if zone_id in RESERVED_ZONE_IDS:
        raise Invalid(
            "reserved-zone-id", "That id is reserved; choose another one.", field="zone_id"
        )


class Officer(Value):
    """A mandated police officer (gemandateerde): prepares and spreads information."""

    officer_id: Id
    subject: str
    """The `sub` of the officer's token."""

    name: str
    email: EmailStr | None
    language: Language


class ZonePrivacy(Value):
    """What a zone states of its processing (GDPR, articles 13 and 35), in its privacy notice."""

    address: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    """Of the police zone, the controller."""

    officer: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    """How to reach the data-protection officer: the function's address, not a person's."""

    impact_assessment: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    """Reference and date of the data-protection impact assessment."""

    def contact(self) -> ZoneContact:
        """Give what the other services need to name whom to turn to."""
        return ZoneContact(address=self.address, data_protection_officer=self.officer)


class ZoneRecord(Aggregate):
    """A police zone as the registry keeps it: the data controller."""

    zone_id: ZoneId
    name: str
    legal_basis: LegalBasis
    privacy: ZonePrivacy | None = None
    created_at: UtcTime
    officers: tuple[Officer, ...] = ()
    keys: tuple[PublisherKey, ...] = ()

    def event(self) -> Zone:
        """Give the whole zone as the other services get it: officers by ids only."""
        return Zone(
            zone_id=self.zone_id,
            version=self.version,
            name=self.name,
            legal_basis=self.legal_basis,
            contact=None if self.privacy is None else self.privacy.contact(),
            officers=tuple(
                ZoneOfficer(officer_id=officer.officer_id, subject=officer.subject)
                for officer in self.officers
            ),
            keys=self.keys,
        )

    def officer(self, officer_id: str) -> Officer | None:
        """Find an officer."""
        return next((o for o in self.officers if o.officer_id == officer_id), None)

    def officer_of(self, subject: str) -> Officer | None:
        """Find the officer whom a token's subject is."""
        return next((o for o in self.officers if o.subject == subject), None)

    def key(self, kid: str) -> PublisherKey:
        """Find a key. Raises `NotThere`."""
        found = next((key for key in self.keys if key.kid == kid), None)
        if found is None:
            raise NotThere
        return found


ZoneWarning = Literal["zone_privacy"]
"""What a zone should have before its networks work, and what does not stop them."""


def warnings(zone: ZoneRecord) -> list[ZoneWarning]:
    """List what a zone still owes: its privacy notice names nobody to turn to without it."""
    return [] if zone.privacy is not None else ["zone_privacy"]


def appoint(zone: ZoneRecord, officer: Officer) -> ZoneRecord:
    """Add an officer. Raises `Conflict` where the id or the token's subject is taken."""
    for known in zone.officers:
        if known.officer_id == officer.officer_id:
            raise Conflict(
                "officer-id-taken",
                "Another officer has this id; choose another.",
                field="officer_id",
            )
        if known.subject == officer.subject:
            raise Conflict(
                "subject-taken", "This person is already an officer of the zone.", field="subject"
            )
    return zone.changed(officers=(*zone.officers, officer))


def enrol(zone: ZoneRecord, key: PublisherKey) -> ZoneRecord:
    """Add a public key; the same key again changes nothing, so that a request can be repeated.

    Raises `Invalid` for what is no public Ed25519 key, `Conflict` where its id or the key itself
    is taken: a key id always means one key, and a revoked key does not come back by another name.
    """
    _check_jwk(key.kid, key.jwk)
    if key.officer_id is not None and zone.officer(key.officer_id) is None:
        raise Invalid(
            "unknown-officer", "The zone has no such officer; add them first.", field="officer_id"
        )
    if key.nbf >= key.exp:
        raise Invalid("key-never-valid", "`exp` must be later than `nbf`.", field="exp")
    for known in zone.keys:
        if known.kid == key.kid and _is_same(known, key):
            return zone
        if known.kid == key.kid:
            raise Conflict(
                "kid-taken",
                "This key id belongs to another key, which is never overwritten: choose another.",
                field="kid",
            )
        if known.jwk["x"] == key.jwk["x"]:
            raise Conflict(
                "key-known",
                "This key is enrolled under another id. Make a new one: `buurtbode keys new`.",
                field="jwk.x",
            )
    return zone.changed(keys=(*zone.keys, key))


def _is_same(known: PublisherKey, key: PublisherKey) -> bool:
    return (known.jwk, known.officer_id, known.nbf, known.exp) == (
        key.jwk,
        key.officer_id,
        key.nbf,
        key.exp,
    )


def _check_jwk(kid: str, jwk: Mapping[str, str]) -> None:
    if "d" in jwk:
        raise Invalid(
            "private-key",
            "This is a private key. It is compromised now: make a new one, and send only the "
            "public part (the file that ends in .pub).",
            field="jwk.d",
        )
    unknown = set(jwk) - _JWK_MEMBERS
    if unknown:
        raise Invalid(
            "no-public-key",
            f"A public key has only {', '.join(sorted(_JWK_MEMBERS))}.",
            field="jwk",
        )
    if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
        raise Invalid(
            "no-ed25519-key",
            'Only Ed25519 keys are taken: "kty": "OKP", "crv": "Ed25519" (RFC 8037).',
            field="jwk.crv",
        )
    if jwk.get("kid", kid) != kid:
        raise Invalid("kid-differs", "`kid` in the key differs from the URL's.", field="jwk.kid")
    if len(_decoded(jwk.get("x", ""))) != _KEY_BYTES:
        raise Invalid("no-public-key", "`x` is 32 bytes in base64url, unpadded.", field="jwk.x")


def _decoded(text: str) -> bytes:
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    # one spelling per key, or the same key could be enrolled twice
    return found if base64.urlsafe_b64encode(found).decode().rstrip("=") == text else b""


def confirm(zone: ZoneRecord, kid: str, subject: str, now: datetime) -> ZoneRecord:
    """Have another police user of the zone confirm a key. Again by the same one changes nothing.

    Raises `NotThere`, or `Conflict` for whoever enrolled it, for the officer whose key it is, and
    for a key that is revoked or over.
    """
    key = zone.key(kid)
    if key.revoked_at is not None or key.exp <= now:
        raise Conflict(
            "key-over", "This key is revoked or past its end; enrol a new one.", field="kid"
        )
    if key.confirmed_by is not None:
        return zone
    officer = zone.officer(key.officer_id) if key.officer_id else None
    if subject == key.enrolled_by or (officer is not None and officer.subject == subject):
        raise Conflict(
            "another-police-user",
            "Another police user of the zone confirms a key: neither the officer whose key it is "
            "nor whoever enrolled it.",
        )
    return _with_key(zone, key.model_copy(update={"confirmed_by": subject, "confirmed_at": now}))


def revoke(zone: ZoneRecord, kid: str, now: datetime) -> ZoneRecord:
    """Revoke a key for good; it stays listed. Again changes nothing. Raises `NotThere`."""
    key = zone.key(kid)
    if key.revoked_at is not None:
        return zone
    return _with_key(zone, key.model_copy(update={"revoked_at": now}))


def _with_key(zone: ZoneRecord, key: PublisherKey) -> ZoneRecord:
    return zone.changed(keys=tuple(key if k.kid == key.kid else k for k in zone.keys))
