"""From each event to the entries that it becomes: a table from event class to function.

What identifies a person, or repeats a text, goes into the private part; the entry itself gets
codes, counts and pseudonyms.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from services.audit.domain.alarms import Alarm
from services.audit.domain.entries import Draft, EntryType, timestamp
from services.audit.domain.send_events import BasisPart, SendEvent
from shared.contracts import (
    Access,
    Bulletin,
    CoverageAlarm,
    Erasure,
    Event,
    MessageClosed,
    MessagePlanned,
    Notice,
    Send,
    Verdict,
    Zone,
)
from shared.contracts.dispatcher import Basis
from shared.contracts.registry import PublisherKey

_plain = str.__str__
"""Gives an enumeration's text, for less than `.value` costs."""


def draft_of(event: Event) -> Draft | None:
    """Give an event's entry, or None for an event that is none by itself."""
    make = _TABLE.get(type(event))
    return None if make is None else make(event)


def send_draft(send: Send | SendEvent) -> Draft:
    """Give the entry of a send's change, however its event was read."""
    return Draft(
        event_id=send.event_id,
        type=EntryType.SEND,
        time=send.time,
        message_id=send.message_id,
        send_id=send.send_id,
        seq=send.seq,
        network_ids=send.network_ids,
        lane=_plain(send.lane),
        channel=_plain(send.channel),
        state=_plain(send.state),
        reason=send.reason,
        attempt=send.attempt,
        language=send.language,
        template=send.template,
        segments=send.segments,
        basis=_basis(send.basis),
        private={
            "recipient": send.recipient,
            "recipient_year": send.recipient_year,
            "member_ids": send.member_ids,
            "provider_reference": send.provider_reference,
            "possible_duplicate": send.possible_duplicate,
            "before": [
                {
                    "state": _plain(change.state),
                    "at": timestamp(change.at),
                    "attempt": change.attempt,
                }
                for change in send.before
            ],
        },
        members=send.member_ids,
        recipient=send.recipient,
    )


def _verdict(verdict: Verdict) -> Draft:
    return Draft(
        event_id=verdict.event_id,
        type=EntryType.VERDICT,
        time=verdict.judged_at,
        message_id=verdict.message_id,
        network_ids=verdict.network_ids,
        state=verdict.verdict.value,
        reason=verdict.reason,
        private=_dump(
            verdict,
            "message_type",
            "kind",
            "references",
            "status",
            "left_out",
            "field",
            "explanation",
            "people",
            "signer",
            "approver",
            "ce_id",
            "original",
            "expires_at",
        ),
    )


def _bulletin(bulletin: Bulletin) -> Draft:
    return Draft(
        event_id=f"{bulletin.bulletin_id}.{bulletin.network_id}",
        type=EntryType.BULLETIN,
        time=bulletin.released_at,
        message_id=bulletin.bulletin_id,
        network_ids=(bulletin.network_id,),
        lane="cold",
        state="released",
        actor=bulletin.released_by,
        private=_dump(
            bulletin,
            "kind",
            "references",
            "status",
            "subject",
            "body",
            "attachment",
            "issued_by",
            "expires_at",
        ),
        is_text=True,
    )


def _notice(notice: Notice) -> Draft:
    network = notice.to_role.network_id if notice.to_role is not None else None
    return Draft(
        event_id=notice.notice_id,
        type=EntryType.NOTICE,
        time=notice.issued_at,
        message_id=notice.notice_id,
        network_ids=() if network is None else (network,),
        template=notice.template,
        private=_dump(notice, "to_role", "to_member", "about"),
        members=() if notice.to_member is None else (notice.to_member,),
    )


def _basis(basis: Basis | BasisPart) -> dict[str, Any]:
    return {
        "legal": basis.legal,
        "house_rules": basis.house_rules,
        "communication_plan": basis.communication_plan,
    }


def _planned(planned: MessagePlanned) -> Draft:
    return Draft(
        event_id=planned.event_id,
        type=EntryType.PLANNED,
        time=planned.planned_at,
        message_id=planned.message_id,
        network_ids=planned.network_ids,
        basis=None if planned.basis is None else _basis(planned.basis),
        private=_dump(
            planned,
            "message_type",
            "release",
            "revision",
            "people",
            "sends",
            "unreachable",
            "behind",
            "expires_at",
        ),
    )


def _closed(closed: MessageClosed) -> Draft:
    return Draft(
        event_id=closed.event_id,
        type=EntryType.CLOSED,
        time=closed.closed_at,
        message_id=closed.message_id,
        network_ids=() if closed.release is None else (closed.release,),
        private=_dump(
            closed, "message_type", "release", "revision", "sends", "states", "events", "digest"
        ),
    )


def _coverage_alarm(alarm: CoverageAlarm) -> Draft:
    return alarm_draft(
        event_id=alarm.event_id,
        time=alarm.raised_at,
        reason=Alarm.LOW_COVERAGE.value,
        message_id=alarm.message_id,
        network_ids=alarm.network_ids,
        private=_dump(alarm, "message_type", "owed", "accepted", "threshold", "within_seconds"),
    )


def _access(access: Access) -> Draft:
    return Draft(
        event_id=access.event_id,
        type=EntryType.ACCESS,
        time=access.time,
        message_id=access.message_id,
        network_ids=() if access.network_id is None else (access.network_id,),
        state=access.kind,
        reason=access.action,
        actor=access.actor,
        private=_dump(access, "service", "reader", "reason", "member_ids", "recipient"),
        members=access.member_ids,
        recipient=access.recipient,
    )


def _dump(event: Event, *fields: str) -> dict[str, Any]:
    return event.model_dump(mode="json", include=set(fields))


_TABLE = cast(
    "dict[type[Event], Callable[[Any], Draft]]",
    {
        Send: send_draft,
        Verdict: _verdict,
        Bulletin: _bulletin,
        Notice: _notice,
        MessagePlanned: _planned,
        MessageClosed: _closed,
        CoverageAlarm: _coverage_alarm,
        Access: _access,
    },
)


def erasure_draft(erasure: Erasure, parts: Mapping[str, int]) -> Draft:
    """Give the entry of an erasure that has been carried out; it names nobody.

    `parts` counts the private parts that it took by the year of their entries, and does not say of
    which entries: together they would tell of one person again.
    """
    return Draft(
        event_id=erasure.erasure_id,
        type=EntryType.ERASURE,
        time=erasure.erased_at,
        private={"parts": dict(parts)},
    )


def key_drafts(before: Zone | None, after: Zone, now: datetime) -> Iterator[Draft]:
    """Give what happened to a zone's publisher keys between two versions of it."""
    known = {} if before is None else {key.kid: key for key in before.keys}
    for key in after.keys:
        old = known.get(key.kid)
        if old is None:
            yield _key_draft(after, key, "enrolled", now)
        if key.confirmed_by is not None and (old is None or old.confirmed_by is None):
            yield _key_draft(after, key, "confirmed", key.confirmed_at or now)
        if key.revoked_at is not None and (old is None or old.revoked_at is None):
            yield _key_draft(after, key, "revoked", key.revoked_at)


def _key_draft(zone: Zone, key: PublisherKey, state: str, time: datetime) -> Draft:
    # a key id is used once per zone, so each of the three happens to it once
    return Draft(
        event_id=f"key.{key.kid}.{state}",
        type=EntryType.KEY,
        time=time,
        state=state,
        private={"zone_version": zone.version, **key.model_dump(mode="json")},
    )


def original_draft(
    *,
    event_id: str,
    time: datetime,
    message_id: str | None,
    network_ids: tuple[str, ...],
    private: dict[str, Any],
) -> Draft:
    """Give the entry of what the police wrote; its private part ends with the texts."""
    return Draft(
        event_id=event_id,
        type=EntryType.ORIGINAL,
        time=time,
        message_id=message_id,
        network_ids=network_ids,
        private=private,
        is_text=True,
    )


def alarm_draft(
    *,
    event_id: str,
    time: datetime,
    reason: str,
    message_id: str | None = None,
    network_ids: tuple[str, ...] = (),
    private: dict[str, Any] | None = None,
) -> Draft:
    """Give the entry of an alarm. `reason` is a code of `domain/alarms.py`."""
    return Draft(
        event_id=event_id,
        type=EntryType.ALARM,
        time=time,
        message_id=message_id,
        network_ids=network_ids,
        state="raised",
        reason=reason,
        private=private,
    )
