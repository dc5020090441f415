"""Take from the sends who answered STOP: unreachable by SMS, which the coordinator is told."""

from services.registry.domain.member import MemberRecord, stop_sms
from services.registry.domain.notice import member_unreachable
from services.registry.flows.change_member import store_change
from services.registry.flows.context import Context
from shared.contracts import Send
from shared.contracts.base import Channel
from shared.mongo import Session

STOPPED = "stopped"
"""The dispatcher's reason for Twilio's 21610."""


async def take_stop(context: Context, session: Session, send: Send) -> None:
    """Mark the members of a send that failed because its destination had said STOP."""
    if send.reason != STOPPED or send.channel is not Channel.SMS:
        return
    for member in await context.members.many(session, list(send.member_ids)):
        if _still_has(context, member, send):
            await _mark(context, session, member)


def _still_has(context: Context, member: MemberRecord, send: Send) -> bool:
    """Tell whether the member's number is the one that said STOP, and not a newer one."""
    if member.zone_id != send.zone_id or member.mobile is None:
        return False
    if not context.keys.has(send.zone_id, send.recipient_year):
        return True  # the year's key is destroyed: better one SMS too few than one refused
    return send.recipient == context.keys.pseudonym(
        send.zone_id, send.recipient_year, member.mobile
    )


async def _mark(context: Context, session: Session, before: MemberRecord) -> None:
    after = stop_sms(before)
    if after is before:
        return
    await store_change(context, session, None, before, after, action="member.stop_sms")
    notice = member_unreachable(context.clock.new_id(), after, context.clock.now())
    await context.outbox.add(session, [notice])
