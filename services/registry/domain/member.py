"""A member of a network: joins freely, accepts the house rules personally, leaves at any time."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from services.registry.domain.aggregate import Aggregate, Value
from services.registry.domain.failures import Conflict
from services.registry.domain.measure import Measure, Restriction
from shared.contracts.base import Id, Language, UtcTime, ZoneId
from shared.contracts.registry import Member, MemberKind, MemberState
from shared.destinations import PhoneKind

PersonName = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=120, strip_whitespace=True, pattern=r"^[^\x00-\x1f]*$"
    ),
]
Tie = Literal["lives", "works", "both"]
"""What binds a member to the area: they live there, work there, or both."""

LeftBy = Literal["coordinator", "link", "exclusion"]


class Acceptance(Value):
    """That a person accepted a version of the house rules themselves."""

    how: Literal["link", "paper", "restored"]
    """`restored`: only the version is known, from what was published before a backup."""

    version: int
    at: UtcTime
    """When it was recorded."""

    signed_on: date | None = None
    """The date on the paper."""

    witness: str | None = None
    """Who saw the paper being signed."""

    recorded_by: str | None = None
    """The `sub` of the coordinator who recorded the paper."""


class MemberRecord(Aggregate):
    """One person in one network. That they are adult is confirmed; no birth date is kept."""

    member_id: Id
    zone_id: ZoneId
    network_id: Id
    state: MemberState = "pending"
    kind: MemberKind
    tie: Tie
    name: PersonName
    language: Language
    phone: str | None = None
    """E.164, mobile or fixed."""

    phone_kind: PhoneKind | None = None
    email: str | None = None
    """Normalised where it comes in (`contact.email`), not again at each read: too slow."""

    cold_mail: bool = True
    sms_stopped: bool = False
    restricted: bool = False
    restriction: Restriction | None = None
    """Why processing is restricted; only while it is."""

    suspended_until: UtcTime | None = None
    """When a suspension ends by itself; only while there is one."""

    measures: tuple[Measure, ...] = ()
    source: Literal["coordinator", "import"] = "coordinator"
    """How they came onto the list."""

    acceptance: Acceptance | None = None
    unsubscribe_token: str
    accept_token: str
    asked_rules: int | None = None
    """The version of new house rules that they were asked to accept, by their link."""

    created_at: UtcTime
    joined_at: UtcTime | None = None
    """When they accepted house rules for the first time; see `joined`."""

    left_at: UtcTime | None = None
    left_by: LeftBy | None = None

    @property
    def joined(self) -> datetime | None:
        """Give when they became a member, which later house rules do not change."""
        return self.joined_at or (None if self.acceptance is None else self.acceptance.at)

    @property
    def mobile(self) -> str | None:
        """Give the number that an SMS can go to."""
        return self.phone if self.phone_kind == "mobile" else None

    def event(self) -> Member:
        """Give the member as the dispatcher needs them; who left, without a contact detail."""
        left = self.state == "left"
        return Member(
            member_id=self.member_id,
            version=self.version,
            zone_id=self.zone_id,
            network_id=self.network_id,
            state=self.state,
            kind=self.kind,
            language=self.language,
            phone=None if left else self.mobile,
            email=None if left else self.email,
            cold_mail=self.cold_mail,
            sms_stopped=self.sms_stopped,
            restricted=self.restricted,
            house_rules_version=self.acceptance.version if self.acceptance else None,
            unsubscribe_token=None if left else self.unsubscribe_token,
            accept_token=self.accept_token if self.is_asked else None,
        )

    @property
    def is_asked(self) -> bool:
        """Tell whether they have house rules to accept: as a newcomer, or a new version."""
        if self.state in {"pending", "left"}:
            return self.state == "pending"
        accepted = 0 if self.acceptance is None else self.acceptance.version
        return self.asked_rules is not None and self.asked_rules > accepted


def check_present(member: MemberRecord) -> None:
    """Raise `Conflict` for who left: they join again as a new member."""
    if member.state == "left":
        raise Conflict(
            "member-left", "This person left the network; to come back they join as a new member."
        )


def accept(member: MemberRecord, acceptance: Acceptance) -> MemberRecord:
    """Record that the house rules were accepted; a pending member becomes active.

    The same version again changes nothing. Raises `Conflict` for who left.
    """
    check_present(member)
    if member.acceptance is not None and member.acceptance.version >= acceptance.version:
        return member
    state: MemberState = "active" if member.state == "pending" else member.state
    joined_at = member.joined or acceptance.at
    return member.changed(state=state, acceptance=acceptance, joined_at=joined_at)


def ask_rules(member: MemberRecord, version: int) -> MemberRecord:
    """Ask a member to accept new house rules; who accepted or was asked stays as they are.

    Nobody accepts for them and nobody is put out: a member accepts each version personally.
    """
    if member.state not in {"active", "suspended"}:
        return member
    accepted = 0 if member.acceptance is None else member.acceptance.version
    if version <= max(accepted, member.asked_rules or 0):
        return member
    return member.changed(asked_rules=version)


def ask_newer(member: MemberRecord, current: int) -> MemberRecord:
    """Ask who joins with an older signature to accept the current version too.

    In the same change as their joining, so the version of the record stays.
    """
    if member.state != "active" or member.acceptance is None:
        return member
    if current <= max(member.acceptance.version, member.asked_rules or 0):
        return member
    return member.model_copy(update={"asked_rules": current})


def leave(member: MemberRecord, by: LeftBy, now: datetime) -> MemberRecord:
    """Leave the network, which stops warm and cold at once. Again changes nothing."""
    if member.state == "left":
        return member
    return member.changed(state="left", left_at=now, left_by=by)


def refuse_cold(member: MemberRecord) -> MemberRecord:
    """Refuse cold messages and nothing else: warm ones go on. Again changes nothing."""
    if member.state == "left" or not member.cold_mail:
        return member
    return member.changed(cold_mail=False)


def stop_sms(member: MemberRecord) -> MemberRecord:
    """Mark who answered STOP as unreachable by SMS. Again changes nothing."""
    if member.state == "left" or member.sms_stopped:
        return member
    return member.changed(sms_stopped=True)
