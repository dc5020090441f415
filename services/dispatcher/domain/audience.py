"""Who gets a message, and as what: people from the copy turned into planned sends. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.dispatcher.domain import texts
from services.dispatcher.domain.message import Message
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.send import InitialState, PlannedSend
from shared.contracts import Network
from shared.contracts.base import Channel, Language, SendState
from shared.contracts.registry import Contact
from shared.destinations import email

UNREACHABLE_PREFIX = "member:"
"""A destination that is none: the member stands for whatever could not be found."""

DEFAULT_SENDER = "Buurtbode"


@dataclass(frozen=True, slots=True)
class Addressee:
    """A member as the audience needs it: a projection of the copy."""

    member_id: str
    network_id: str
    language: Language
    destination: str
    """Number, address, or `member:<id>`."""

    unsubscribe_token: str | None = None
    sms_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Everyone behind one destination: one person in several networks, or a shared mailbox."""

    channel: Channel
    destination: str
    member_ids: tuple[str, ...]
    network_ids: tuple[str, ...]
    language: Language
    unsubscribe_token: str | None = None
    reason: SendReason | None = None
    """Why there is no way to reach them; None where there is."""

    sender_name: str | None = None
    reply_to: str | None = None

    @property
    def reachable(self) -> bool:
        """Tell whether there is a destination at all."""
        return not self.destination.startswith(UNREACHABLE_PREFIX)


def person_of(channel: Channel, group: Sequence[Addressee]) -> Person:
    """Make one person of the members behind one destination, in a stable order."""
    members = group if len(group) == 1 else sorted(group, key=lambda member: member.member_id)
    first = members[0]
    reason = None
    if first.destination.startswith(UNREACHABLE_PREFIX):
        reason = SendReason.NO_ADDRESS
        if channel is Channel.SMS:
            stopped = any(member.sms_stopped for member in members)
            reason = SendReason.STOPPED if stopped else SendReason.NO_MOBILE
    return Person(
        channel=channel,
        destination=first.destination,
        member_ids=tuple(member.member_id for member in members),
        network_ids=tuple(sorted({member.network_id for member in members})),
        language=first.language,
        unsubscribe_token=first.unsubscribe_token,
        reason=reason,
    )


def person_in_role(contact: Contact, network_id: str) -> Person:
    """Make a person of somebody who holds a role; a role has no member's id."""
    # the event's model gives a domain in Unicode, and pseudonyms are made of the one form
    address = None if contact.email is None else email(contact.email) or contact.email.lower()
    return Person(
        channel=Channel.EMAIL,
        destination=address or f"{UNREACHABLE_PREFIX}{contact.contact_id}".lower(),
        member_ids=(),
        network_ids=(network_id,),
        language=contact.language,
        reason=None if address else SendReason.NO_ADDRESS,
    )


@dataclass(slots=True)
class Counts:
    """What the planned event tells."""

    people: int = 0
    unreachable: int = 0
    sends: dict[Channel, int] = field(default_factory=dict[Channel, int])
    unresolved: int = 0
    """People whose attempt of the alert may yet get through: an all-clear is planned again."""

    def add(self, send: PlannedSend, *, is_fallback: bool) -> None:
        """Count one send; a fallback goes to somebody who is counted already."""
        if not is_fallback:
            self.people += 1
        if send.state is SendState.UNREACHABLE:
            self.unreachable += 1
        else:
            self.sends[send.channel] = self.sends.get(send.channel, 0) + 1


Pseudonym = Callable[[str, int, str], str]
"""Gives the pseudonym of a destination in a zone and year."""


class Planner:
    """Makes the sends of one message; knows its networks, and each language's segments once."""

    def __init__(
        self,
        message: Message,
        networks: Mapping[str, Network],
        *,
        now: datetime,
        pseudonym: Pseudonym,
        new_id: Callable[[], str],
    ) -> None:
        """Bind; `now` fixes the year of the pseudonyms."""
        self._message = message
        self._networks = networks
        self._now = now
        self._pseudonym = pseudonym
        self._new_id = new_id
        self._segments: dict[Language, int] = {}

    def send(self, person: Person) -> PlannedSend:
        """Plan one send: planned, unreachable, or expired where the message has ended."""
        message = self._message
        network = self._networks.get(next(iter(person.network_ids), ""))
        language = texts.choose_language(
            person.language, () if network is None else network.languages, message.content.body
        )
        state, reason = self._initial(person)
        year = self._now.year
        return PlannedSend(
            send_id=self._new_id(),
            key=message.key,
            lane=message.lane,
            channel=person.channel,
            destination=person.destination,
            member_ids=person.member_ids,
            network_ids=person.network_ids,
            language=language,
            recipient=(
                self._pseudonym(message.key.zone_id, year, person.destination)
                if person.reachable
                else None
            ),
            recipient_year=year,
            sender_name=person.sender_name or (network.sender_name if network else DEFAULT_SENDER),
            reply_to=person.reply_to or (network.reply_to if network else None),
            unsubscribe_token=person.unsubscribe_token,
            segments=self._segments_in(language) if person.channel is Channel.SMS else None,
            template=message.template,
            expires_at=message.expires_at,
            state=state,
            reason=reason,
        )

    def _initial(self, person: Person) -> tuple[InitialState, str | None]:
        if not person.reachable:
            return SendState.UNREACHABLE, person.reason
        if self._message.expires_at <= self._now:
            return SendState.EXPIRED, SendReason.EXPIRED
        return SendState.PLANNED, None

    def _segments_in(self, language: Language) -> int:
        if language not in self._segments:
            self._segments[language] = texts.sms(self._message, language).segments
        return self._segments[language]
