"""Resolve who gets a message, person by person and in the order of destinations."""

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import groupby

from services.dispatcher.domain.audience import (
    UNREACHABLE_PREFIX,
    Person,
    person_in_role,
    person_of,
)
from services.dispatcher.domain.message import Message
from services.dispatcher.domain.notices import Recipient
from services.dispatcher.domain.permission import thread
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.store.copy import AudienceKey, Copy
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.messages import Messages, Work
from services.dispatcher.store.recipients import Reached
from shared.contracts import Member, Network
from shared.contracts.base import AlertKind, Channel, MessageType

_PAGE = 1000
_LAST = "\uffff"
"""Sorts after every channel."""


def is_all_clear(message: Message) -> bool:
    """Tell whether a message ends an alert."""
    return message.key.message_type is MessageType.ALERT and message.kind == AlertKind.ALL_CLEAR


def stages(message: Message) -> int:
    """Tell in how many parts the audience comes: an alert's also has an e-mail fallback."""
    warm = message.key.message_type is MessageType.ALERT
    return 2 if warm and not is_all_clear(message) else 1


class ResolveAudience:
    """Reads audiences from the copy, and an all-clear's from the ledger. Memory does not grow."""

    def __init__(self, copy: Copy, messages: Messages, ledger: Ledger) -> None:
        """Bind."""
        self._copy = copy
        self._messages = messages
        self._ledger = ledger

    def people(
        self,
        work: Work,
        networks: Mapping[str, Network],
        stage: int,
        after: str | None,
        *,
        unresolved: bool,
    ) -> AsyncIterator[Person]:
        """Give a part of the audience, beginning after a destination.

        `unresolved`: whether an all-clear also goes to those whose attempt may yet get through.
        """
        message = work.message
        match message.key.message_type:
            case MessageType.BULLETIN:
                return self._members("mail", Channel.EMAIL, message, message.network_ids, after)
            case MessageType.NOTICE:
                return self._recipients(message, work.recipient, networks)
            case MessageType.ALERT if is_all_clear(message):
                return self._reached(message, after, unresolved=unresolved)
            case MessageType.ALERT if stage == 0:
                return self._members("sms", Channel.SMS, message, message.network_ids, after)
            case MessageType.ALERT:
                takes = with_fallback(message, networks)
                return self._members("fallback", Channel.EMAIL, message, takes, after)

    async def _members(
        self,
        key: AudienceKey,
        channel: Channel,
        message: Message,
        network_ids: Sequence[str],
        after: str | None,
    ) -> AsyncIterator[Person]:
        if not network_ids:
            return
        async for group in self._copy.audience(key, message.key.zone_id, network_ids, after):
            yield person_of(channel, group)

    async def _recipients(
        self, message: Message, recipient: Recipient | None, networks: Mapping[str, Network]
    ) -> AsyncIterator[Person]:
        if recipient is None:
            return
        if recipient.member_id is not None:
            members = await self._copy.members([recipient.member_id])
            member = members.get(recipient.member_id)
            if member is not None and _may_get(member, message):
                yield _person_noticed(member)
            return
        network = networks.get(recipient.network_id or "")
        for contact in () if network is None else network.contacts:
            if recipient.holds(contact):
                yield person_in_role(contact, recipient.network_id or "")

    async def _reached(
        self, message: Message, after: str | None, *, unresolved: bool
    ) -> AsyncIterator[Person]:
        zone_id = message.key.zone_id
        ids = await thread_ids(self._messages, message)
        position = None if after is None else (after, _LAST)
        while ids:
            page = await self._ledger.recipients.reached(
                None, zone_id, ids, position, _PAGE, unresolved=unresolved
            )
            groups = [list(group) for _, group in groupby(page, key=_where)]
            whole = len(page) < _PAGE
            if not whole and len(groups) > 1:
                groups.pop()  # perhaps cut in two: it begins the next page
            for person in await self._in_own_language(groups):
                yield person
            if whole:
                return
            position = _where(groups[-1][0])

    async def _in_own_language(self, groups: Sequence[Sequence[Reached]]) -> list[Person]:
        """Make people of rows; each gets the language of the member, which the alert may lack."""
        ids = {member_id for group in groups for row in group for member_id in row.member_ids}
        members = await self._copy.members(ids)
        return [_person_reached(group, members) for group in groups]


async def thread_ids(messages: Messages, message: Message) -> list[str]:
    """Give the ids of the alert that a message belongs to, and of its updates."""
    about = thread(message)
    return [] if about is None else [one.key.message_id for one in await messages.thread(about)]


def with_fallback(message: Message, networks: Mapping[str, Network]) -> tuple[str, ...]:
    """Give the message's networks whose communication plan names e-mail for who has no number."""
    return tuple(
        network_id
        for network_id in message.network_ids
        if network_id in networks and networks[network_id].warm_fallback == "email"
    )


def _where(row: Reached) -> tuple[str, str]:
    return row.destination, str(row.channel)


def _person_reached(group: Sequence[Reached], members: Mapping[str, Member]) -> Person:
    first = group[0]
    member_ids = tuple(sorted({member_id for row in group for member_id in row.member_ids}))
    known = [members[member_id] for member_id in member_ids if member_id in members]
    return Person(
        channel=first.channel,
        destination=first.destination,
        member_ids=member_ids,
        network_ids=tuple(sorted({network for row in group for network in row.network_ids})),
        language=known[0].language if known else first.language,
        unsubscribe_token=first.unsubscribe_token,
        sender_name=first.sender_name,
        reply_to=first.reply_to,
    )


def _may_get(member: Member, message: Message) -> bool:
    """A pending member gets the link by which to accept, and nothing else; nobody else pending.

    New house rules go to who has a link to accept them by, so not to who has done so meanwhile.
    """
    if member.restricted:
        return False
    if message.template == "accept_house_rules":
        return member.state == "pending"
    if message.template == "house_rules_changed" and member.accept_token is None:
        return False
    return member.state in {"active", "suspended"}


def _person_noticed(member: Member) -> Person:
    return Person(
        channel=Channel.EMAIL,
        destination=member.email or f"{UNREACHABLE_PREFIX}{member.member_id}",
        member_ids=(member.member_id,),
        network_ids=(member.network_id,),
        language=member.language,
        unsubscribe_token=member.unsubscribe_token,
        reason=None if member.email else SendReason.NO_ADDRESS,
    )
