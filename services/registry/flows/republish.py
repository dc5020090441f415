"""Send aggregates again that a topic lost, through the same outbox as every change.

The counter of each key's stream is raised in the page's transaction, so a change at the same
moment either comes first and is what this reads, or comes after: an older version never follows.
"""

from dataclasses import dataclass
from typing import Literal

from services.registry.flows.context import Actor, Context
from shared.contracts import Event
from shared.mongo import Session

Republishable = Literal["bin.zones", "bin.networks", "bin.members", "bin.erasures"]

PAGE = 500
"""Aggregates per transaction: long ones collide with other changes."""


@dataclass(frozen=True, slots=True)
class Page:
    """What was sent again, and the last id where there may be more."""

    count: int
    last: str | None


async def republish(
    context: Context, actor: Actor, topic: Republishable, after: str | None
) -> Page:
    """Send one page of a topic's aggregates again, in the order of their ids."""

    async def work(session: Session) -> Page:
        found = await _page(context, session, topic, after)
        await context.outbox.add(session, list(found.values()))
        await context.record(session, actor, "replay", f"republish.{topic}", zone_id=None)
        last = max(found) if len(found) == PAGE else None
        return Page(len(found), last)

    return await context.transaction(work)


async def _page(
    context: Context, session: Session, topic: Republishable, after: str | None
) -> dict[str, Event]:
    if topic == "bin.zones":
        zones = await context.zones.page(session, after, PAGE)
        return {zone.zone_id: zone.event() for zone in zones}
    if topic == "bin.networks":
        now = context.clock.now()
        networks = await context.networks.page(session, after, PAGE)
        return {network.network_id: network.event(now) for network in networks}
    if topic == "bin.erasures":
        new_id = context.clock.new_id
        erasures = await context.erasures.page(session, after, PAGE)
        return {erased.member_id: erased.event(new_id()) for erased in erasures}
    members = await context.members.page(session, after, PAGE)
    return {member.member_id: member.event() for member in members}
