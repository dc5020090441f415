"""Zones, networks and members for the tests of the rules; all invented."""

from datetime import UTC, datetime, timedelta

from services.registry.domain.bulletin import BulletinRecord, Step
from services.registry.domain.coordinator import Coordinator, Screening
from services.registry.domain.member import MemberRecord
from services.registry.domain.network import NetworkRecord
from services.registry.domain.zone import Officer, ZoneRecord
from shared.contracts.base import BulletinKind, Status
from shared.contracts.registry import LegalBasis, PublisherKey
from shared.signatures import new_key

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

OFFICER = Officer(
    officer_id="officer-1",
    subject="police-1",
    name="Inspecteur Voorbeeld",
    email="officer@demo.example",
    language="nl",
)


def zone() -> ZoneRecord:
    """Give a zone with one officer."""
    return ZoneRecord(
        zone_id="demo",
        name="Politiezone Demo",
        legal_basis=LegalBasis(warm="WPA", cold="BIN"),
        created_at=NOW,
        officers=(OFFICER,),
    )


def public_jwk() -> dict[str, str]:
    """Give the public part of a fresh key."""
    return {"kty": "OKP", "crv": "Ed25519", "x": str(new_key("k").as_dict(private=False)["x"])}


def key(kid: str = "key-1", officer_id: str | None = "officer-1") -> PublisherKey:
    """Give a key to enrol."""
    return PublisherKey(
        kid=kid,
        jwk=public_jwk(),
        officer_id=officer_id,
        nbf=NOW,
        exp=NOW + timedelta(days=365),
        enrolled_by="admin-1",
    )


def network() -> NetworkRecord:
    """Give a draft."""
    return NetworkRecord(
        network_id="bin-linde",
        zone_id="demo",
        name="BIN Linde",
        municipality="44021",
        kind="residents",
        languages=("nl", "fr"),
        sender_name="BIN Linde",
        created_at=NOW,
        state_since=NOW,
    )


def coordinator(
    coordinator_id: str = "c-1", subject: str = "coordinator-1", *, screened: bool = True
) -> Coordinator:
    """Give a coordinator."""
    return Coordinator(
        coordinator_id=coordinator_id,
        role="coordinator",
        subject=subject,
        name="Coördinator Voorbeeld",
        email="coordinator@bin.example",
        language="nl",
        agreed_to_screening_at=NOW,
        screening=Screening(by="police-1", at=NOW, passed=True) if screened else None,
    )


def member() -> MemberRecord:
    """Give a pending member with a mobile number that nobody has."""
    return MemberRecord(
        member_id="m-1",
        zone_id="demo",
        network_id="bin-linde",
        kind="resident",
        tie="lives",
        name="Lid Voorbeeld",
        language="nl",
        phone="+32450000001",
        phone_kind="mobile",
        email="lid@voorbeeld.example",
        unsubscribe_token="u" * 64,
        accept_token="a" * 64,
        created_at=NOW,
    )


def bulletin(status: Status = Status.ACTUAL) -> BulletinRecord:
    """Give a bulletin that waits."""
    return BulletinRecord(
        bulletin_id="11111111-1111-1111-1111-111111111111",
        zone_id="demo",
        network_id="bin-linde",
        kind=BulletinKind.PREVENTION,
        references=None,
        status=status,
        subject={"nl": "Ramen dicht", "fr": "Fermez les fenêtres"},
        body={"nl": "Inbraken in de buurt.", "fr": "Cambriolages dans le quartier."},
        origin="police",
        issued_by="officer-1",
        issued_at=NOW,
        expires_at=NOW + timedelta(days=14),
        timeline=(Step(what="proposed", at=NOW, by="officer-1"),),
    )
