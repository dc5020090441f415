"""Delete what is past its date (GDPR, article 5(1)(e)), each with its event."""

from services.registry.domain.discipline import forget_measures
from services.registry.domain.network import forget_people
from services.registry.domain.privacy import past_retention
from services.registry.flows.change_member import store_change
from services.registry.flows.context import Context
from services.registry.flows.erase_member import erase_in
from shared.mongo import Session

_MOST = 100


async def retain(context: Context) -> bool:
    """Delete a batch of what is past its date; tell whether there may be more."""
    now, kept = context.clock.now(), context.retention
    dissolved = await context.networks.dissolved_before(now - kept.dissolved)
    over = [
        *await context.members.left_before(now - kept.left, _MOST),
        *await context.members.pending_since(now - kept.pending, _MOST),
        *await context.members.of_networks(dissolved, _MOST),
    ]
    for member_id in dict.fromkeys(over):
        await _erase(context, member_id)
    measured = await context.members.measured_before(now - kept.measures, _MOST)
    changed = [await _forget(context, member_id) for member_id in measured]
    bulletins = await context.bulletins.ended_before(now - kept.bulletins, _MOST)
    for row_id in bulletins:
        await _delete_bulletin(context, row_id)
    meetings = await context.meetings.ended_before(now - kept.meetings, _MOST)
    for meeting_id in meetings:
        await _delete_meeting(context, meeting_id)
    ended = await context.networks.holding_ended(
        now - kept.coordinators, now - kept.dissolved, _MOST
    )
    for network_id in ended:
        await _forget_people(context, network_id)
    await context.alerts.forget(now - kept.alerts)
    await context.imports.forget(now - kept.imports)
    await context.figures.forget(now - kept.figures)
    return any((over, any(changed), bulletins, meetings, ended))


async def _erase(context: Context, member_id: str) -> None:
    async def work(session: Session) -> None:
        member = await context.members.find(member_id, session)
        if member is None:
            return
        network = await context.networks.get(member.network_id, session)
        if past_retention(member, network, context.retention, context.clock.now()):
            await erase_in(context, session, None, member, because="retention")

    await context.transaction(work)


async def _forget(context: Context, member_id: str) -> bool:
    async def work(session: Session) -> bool:
        before = await context.members.find(member_id, session)
        if before is None:
            return False
        oldest = context.clock.now() - context.retention.measures
        after = forget_measures(before, oldest)
        await store_change(context, session, None, before, after, action="member.forget_measures")
        return after is not before

    return await context.transaction(work)


async def _forget_people(context: Context, network_id: str) -> None:
    async def work(session: Session) -> None:
        now, kept = context.clock.now(), context.retention
        before = await context.networks.get(network_id, session)
        network = forget_people(before, now - kept.coordinators, now - kept.dissolved)
        if network is before:
            return
        await context.put_network(session, network)
        await context.record(
            session,
            None,
            "change",
            "coordinator.forget",
            zone_id=network.zone_id,
            network_id=network_id,
        )

    await context.transaction(work)


async def _delete_bulletin(context: Context, row_id: str) -> None:
    async def work(session: Session) -> None:
        bulletin = await context.bulletins.find(row_id, session)
        if bulletin is None:
            return
        await context.bulletins.remove(session, row_id)
        await context.record_bulletin(session, None, "bulletin.delete", bulletin)

    await context.transaction(work)


async def _delete_meeting(context: Context, meeting_id: str) -> None:
    async def work(session: Session) -> None:
        meeting = await context.meetings.find(meeting_id, session)
        if meeting is None:
            return
        await context.meetings.remove(session, meeting_id)
        await context.record(
            session,
            None,
            "change",
            "meeting.delete",
            zone_id=meeting.zone_id,
            network_id=meeting.network_id,
            message_id=meeting.bulletin_id,
        )

    await context.transaction(work)
