"""Call a meeting: the members get an `organisation` bulletin with a calendar file."""

from dataclasses import dataclass
from datetime import datetime

from services.registry.domain.meeting import Meeting, calendar_file, check_times, invitation
from services.registry.flows.context import Actor, Context
from services.registry.flows.write_bulletin import NewBulletin, check_new, send_own
from shared.contracts.base import BulletinKind, Language
from shared.contracts.police import BULLETIN_LIFE
from shared.mongo import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeeting:
    """What a coordinator calls the members to."""

    subject: dict[Language, str]
    body: dict[Language, str]
    place: str
    starts_at: datetime
    ends_at: datetime


async def call_meeting(context: Context, subject: str, network_id: str, new: NewMeeting) -> Meeting:
    """Store a meeting and release its bulletin, both or neither. Raises `Invalid`, `Conflict`."""
    now = context.clock.now()
    check_times(new.starts_at, new.ends_at, now)
    meeting_id, bulletin_id = context.clock.new_id(), context.clock.new_id()

    async def work(session: Session) -> Meeting:
        network = await context.networks.get(network_id, session)
        meeting = Meeting(
            meeting_id=meeting_id,
            zone_id=network.zone_id,
            network_id=network_id,
            bulletin_id=bulletin_id,
            subject=new.subject,
            body=new.body,
            place=new.place,
            starts_at=new.starts_at,
            ends_at=new.ends_at,
            created_at=now,
            created_by=subject,
            organizer=network.event(now).reply_to,
        )
        bulletin = NewBulletin(
            kind=BulletinKind.ORGANISATION,
            subject=new.subject,
            body=invitation(meeting),
            # an invitation is worth nothing once the meeting began
            expires_at=min(meeting.starts_at, now + BULLETIN_LIFE),
            attachment=calendar_file(meeting, network.languages[0]),
        )
        check_new(bulletin, now, kind=BulletinKind.ORGANISATION)
        await send_own(
            context,
            session,
            bulletin,
            subject=subject,
            network_id=network_id,
            bulletin_id=bulletin_id,
        )
        await context.meetings.add(session, meeting)
        await context.record(
            session,
            Actor.subject(subject),
            "change",
            "meeting.call",
            zone_id=network.zone_id,
            network_id=network_id,
            message_id=bulletin_id,
        )
        return meeting

    return await context.transaction(work)
