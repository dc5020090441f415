"""Move a meeting or call it off: the members are told, and their calendars change with it."""

from collections.abc import Callable
from datetime import datetime

from services.registry.domain.failures import Stale
from services.registry.domain.meeting import (
    Meeting,
    calendar_file,
    cancel,
    headline,
    invitation,
    move,
)
from services.registry.flows.context import Actor, Context
from services.registry.flows.write_bulletin import NewBulletin, check_new, send_own
from shared.contracts.base import BulletinKind
from shared.contracts.police import BULLETIN_LIFE
from shared.mongo import Session


async def move_meeting(
    context: Context,
    subject: str,
    network_id: str,
    meeting_id: str,
    *,
    version: int,
    starts_at: datetime | None,
    ends_at: datetime | None,
    place: str | None,
) -> Meeting:
    """Give a meeting another time or place; None leaves it as it is.

    Raises `Stale`, `NotThere`, `Invalid`, `Conflict`.
    """
    now = context.clock.now()

    def rule(before: Meeting) -> Meeting:
        return move(
            before,
            starts_at or before.starts_at,
            ends_at or before.ends_at,
            place or before.place,
            now,
        )

    return await _change(
        context, subject, network_id, meeting_id, version=version, rule=rule, action="meeting.move"
    )


async def cancel_meeting(
    context: Context, subject: str, network_id: str, meeting_id: str, *, version: int
) -> Meeting:
    """Call a meeting off. Raises `Stale`, `NotThere`, `Conflict`."""
    now = context.clock.now()
    return await _change(
        context,
        subject,
        network_id,
        meeting_id,
        version=version,
        rule=lambda before: cancel(before, now),
        action="meeting.cancel",
    )


async def _change(
    context: Context,
    subject: str,
    network_id: str,
    meeting_id: str,
    *,
    version: int,
    rule: Callable[[Meeting], Meeting],
    action: str,
) -> Meeting:
    """Store the change and release its bulletin, both or neither."""
    bulletin_id = context.clock.new_id()

    async def work(session: Session) -> Meeting:
        before = await context.meetings.in_network(network_id, meeting_id, session)
        if before.version != version:
            raise Stale
        after = rule(before)
        if after is before:
            return before
        await context.meetings.replace(session, after)
        await _tell(context, session, after, before, subject=subject, bulletin_id=bulletin_id)
        await context.record(
            session,
            Actor.subject(subject),
            "change",
            action,
            zone_id=after.zone_id,
            network_id=network_id,
            message_id=after.bulletin_id,
        )
        return after

    return await context.transaction(work)


async def _tell(
    context: Context,
    session: Session,
    meeting: Meeting,
    before: Meeting,
    *,
    subject: str,
    bulletin_id: str,
) -> None:
    """Tell the members: worth something until the meeting begins, or would have begun."""
    now = context.clock.now()
    network = await context.networks.get(meeting.network_id, session)
    until = max(meeting.starts_at, before.starts_at)
    bulletin = NewBulletin(
        kind=BulletinKind.ORGANISATION,
        subject=headline(meeting),
        body=invitation(meeting),
        expires_at=min(until, now + BULLETIN_LIFE),
        attachment=calendar_file(meeting, network.languages[0]),
    )
    check_new(bulletin, now, kind=BulletinKind.ORGANISATION)
    await send_own(
        context,
        session,
        bulletin,
        subject=subject,
        network_id=meeting.network_id,
        bulletin_id=bulletin_id,
    )
