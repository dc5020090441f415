"""Invented police, keys and records, for the tests of both judges."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc.jwk import OKPKey

from shared.contracts import Alert, BulletinProposed, Network, Zone
from shared.contracts.police import APPROVAL_HEADER, SIGNATURE_HEADER
from shared.contracts.registry import LegalBasis, PublisherKey, ZoneOfficer
from shared.kafka import Outgoing, Record
from shared.signatures import new_key, sign
from shared.topics import ALERTS

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def public_part(kid: str, key: OKPKey, officer_id: str | None, /, **changes: Any) -> PublisherKey:
    """Give the enrolled, confirmed form of a private key."""
    fields: dict[str, Any] = {
        "kid": kid,
        "jwk": key.as_dict(private=False),
        "officer_id": officer_id,
        "nbf": NOW - timedelta(days=30),
        "exp": NOW + timedelta(days=300),
        "enrolled_by": "admin",
        "confirmed_by": "sub-of-another",
        "confirmed_at": NOW - timedelta(days=29),
        **changes,
    }
    return PublisherKey.model_validate(fields)


@dataclass
class Police:
    """A zone with two officers and one police system, each with a key."""

    zone_id: str = "demo"
    keys: dict[str, OKPKey] = field(default_factory=dict[str, OKPKey])

    def __post_init__(self) -> None:
        """Make the keys."""
        for kid in ("key-1", "key-2", "system"):
            self.keys[kid] = new_key(kid)

    def zone(self, version: int = 1, **changes: Any) -> Zone:
        """Give the zone's event."""
        fields: dict[str, Any] = {
            "zone_id": self.zone_id,
            "version": version,
            "name": "Politiezone Voorbeeld",
            "legal_basis": LegalBasis(warm="public_task", cold="consent"),
            "officers": (
                ZoneOfficer(officer_id="officer-1", subject="sub-1"),
                ZoneOfficer(officer_id="officer-2", subject="sub-2"),
            ),
            "keys": (
                public_part("key-1", self.keys["key-1"], "officer-1"),
                public_part("key-2", self.keys["key-2"], "officer-2"),
                public_part("system", self.keys["system"], None),
            ),
            **changes,
        }
        return Zone.model_validate(fields)

    def network(self, network_id: str, version: int = 1, **changes: Any) -> Network:
        """Give one of its networks."""
        fields: dict[str, Any] = {
            "network_id": network_id,
            "version": version,
            "zone_id": self.zone_id,
            "name": f"BIN {network_id}",
            "municipality": "23027",
            "kind": "residents",
            "state": "active",
            "languages": ("nl",),
            "sender_name": "BIN Demo",
            "exercises": True,
            "documents": {"charter": 1, "house_rules": 2, "communication_plan": 3},
            "contacts": (),
            "reply_to": "coordinator@example.org",
            **changes,
        }
        return Network.model_validate(fields)

    def alert(self, **changes: Any) -> Alert:
        """Give an alert by officer-1, to network n1."""
        fields: dict[str, Any] = {
            "alert_id": str(uuid.uuid4()),
            "zone_id": self.zone_id,
            "network_ids": ("n1",),
            "kind": "alert",
            "status": "actual",
            "event": "burglary",
            "text": {"nl": "Inbraak in de Voorbeeldstraat.", "fr": "Cambriolage rue Exemple."},
            "issued_by": "officer-1",
            "issued_at": NOW,
            **changes,
        }
        return Alert.model_validate(fields)

    def proposal(self, **changes: Any) -> BulletinProposed:
        """Give a proposed bulletin by officer-1, to network n1."""
        fields: dict[str, Any] = {
            "bulletin_id": str(uuid.uuid4()),
            "zone_id": self.zone_id,
            "network_ids": ("n1",),
            "kind": "prevention",
            "status": "actual",
            "subject": {"nl": "Fietsen markeren"},
            "body": {"nl": "Laat uw fiets markeren op het voorbeeldplein."},
            "issued_by": "officer-1",
            "issued_at": NOW,
            **changes,
        }
        return BulletinProposed.model_validate(fields)

    def value_record(
        self,
        value: bytes,
        *,
        ce_type: str = Alert.TYPE,
        key: bytes | None = None,
        topic: str = ALERTS.name,
        kid: str | None = "key-1",
        approver: str | None = None,
        offset: int = 0,
        headers: dict[str, bytes] | None = None,
    ) -> Record:
        """Give a record of exact bytes, signed unless `kid` is None."""
        all_headers: dict[str, bytes] = {
            "ce_specversion": b"1.0",
            "ce_id": str(uuid.uuid4()).encode(),
            "ce_type": ce_type.encode(),
        }
        for name, signer in ((SIGNATURE_HEADER, kid), (APPROVAL_HEADER, approver)):
            if signer is not None:
                token = sign(value, self.keys[signer], kid=signer, zone=self.zone_id, topic=topic)
                all_headers[name] = token.encode()
        all_headers |= headers or {}
        return Record(
            topic=topic,
            partition=0,
            offset=offset,
            key=self.zone_id.encode() if key is None else key,
            value=value,
            headers=tuple(all_headers.items()),
        )

    def record(self, event: Alert | BulletinProposed, **options: Any) -> Record:
        """Give the record of an event, signed by key-1."""
        options.setdefault("topic", event.TOPIC.name)
        return self.value_record(event.to_json(), ce_type=event.TYPE, **options)


def outgoing(record: Record) -> Outgoing:
    """Give a record as it is published."""
    return Outgoing(record.topic, (record.key or b"").decode(), record.value, record.headers)
