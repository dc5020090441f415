"""Judge the police's proposals: each record gets exactly one verdict, whatever it holds."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.registry.domain.bulletin import wait_for_relay
from services.registry.domain.network import NetworkRecord
from services.registry.flows.chase_bulletins import put_in_relay
from services.registry.flows.context import Context
from shared.claims import earlier_verdict
from shared.consume import DeadLetters, dead_letter
from shared.contracts import BulletinProposed, DeadLetter, Verdict, Zone
from shared.contracts.base import MessageType
from shared.failures import Rejected
from shared.judging import (
    UNREADABLE,
    Candidate,
    Case,
    Duplicate,
    Refused,
    accepted,
    check_times,
    choose_networks,
    duplicate,
    examine,
    refusal,
    zone_named,
)
from shared.kafka import Record
from shared.mongo import Session
from shared.topics import Party, group

GROUP = group(Party.REGISTRY, "proposals")

OLDEST = timedelta(days=7)
"""A proposal issued longer ago is refused."""


async def judge_proposals(
    context: Context, letters: DeadLetters, session: Session, records: Sequence[Record]
) -> list[DeadLetter]:
    """Judge a batch, in the transaction that moves the position; give what could not be read."""
    unreadable: list[DeadLetter] = []
    for record in records:
        verdict = await _judge(context, session, record)
        await context.outbox.add(session, [verdict], ce_ids=[verdict.event_id])
        if verdict.reason in UNREADABLE:
            rejected = Rejected(str(verdict.reason), verdict.field)
            letter = dead_letter(record, GROUP, rejected, verdict.judged_at)
            await letters.add(session, letter)
            unreadable.append(letter)
    return unreadable


async def _judge(context: Context, session: Session, record: Record) -> Verdict:
    now = context.clock.now()
    case = Case.of(record, MessageType.BULLETIN, await _zone(context, session, record))
    try:
        return await _accept(context, session, case, now)
    except Duplicate:
        return duplicate(case, now)
    except Refused as refused:
        return refusal(case, refused, now)


async def _zone(context: Context, session: Session, record: Record) -> Zone | None:
    named = zone_named(record)
    zone = None if named is None else await context.zones.find(named, session)
    return None if zone is None else zone.event()


async def _accept(context: Context, session: Session, case: Case, now: datetime) -> Verdict:
    event = examine(case, BulletinProposed, now).event
    claims = await context.claims.find(session, [(event.zone_id, event.bulletin_id)])
    earlier = earlier_verdict(case, claims, event.zone_id, event.bulletin_id)
    if earlier is not None:
        await _wait_again(context, session, event, earlier)
        return earlier
    check_times(event, now, oldest=OLDEST)
    found = await context.networks.many(list(event.network_ids), session)
    networks = {network.network_id: network for network in found}
    known = {
        network_id: Candidate(network.zone_id, network.state == "active", network.plan.exercises)
        for network_id, network in networks.items()
    }
    choice = choose_networks(event, known)
    people = await context.members.mailable(session, list(choice.takes))
    verdict = accepted(case, choice, now, people=people)
    await context.claims.take(session, case, verdict)
    for network_id in choice.takes:
        await _wait(context, session, event, networks[network_id], now)
    return verdict


async def _wait_again(
    context: Context, session: Session, event: BulletinProposed, earlier: Verdict
) -> None:
    """Have it wait where it is not known any more: a restored backup lost it, and not its claim."""
    now = context.clock.now()
    for network in await context.networks.many(list(earlier.network_ids), session):
        row_id = f"{event.zone_id}|{event.bulletin_id}|{network.network_id}"
        if event.ends_at > now and await context.bulletins.find(row_id, session) is None:
            await _wait(context, session, event, network, now)


async def _wait(
    context: Context,
    session: Session,
    event: BulletinProposed,
    network: NetworkRecord,
    now: datetime,
) -> None:
    bulletin = wait_for_relay(event, network.network_id, now, context.policy.relay)
    await put_in_relay(context, session, bulletin, network)
