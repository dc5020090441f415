"""Who may do what. What one may not see does not exist for one.

A right is a way of standing to a zone or a network; a route names the rights of which one is
enough. What a coordinator may see follows from the network's own list, never from the token.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Literal

from services.registry.domain.bulletin import BulletinRecord
from services.registry.domain.network import NetworkRecord
from shared.callers import Caller, Role

EscalationReason = Literal["acceptance", "data_right", "incident", "leaving"]
"""Why the police look at a member list: somebody joins on paper, asks for what the law gives them,
something happened, or somebody leaves. A code, so that it names nobody."""


class Right(StrEnum):
    """A way of standing to a zone or a network."""

    ADMIN = "admin"
    """An admin of this zone, or of all."""

    POLICE = "police"
    """A police user whose token is for this zone."""

    COORDINATOR = "coordinator"
    """An active coordinator, co-coordinator or deputy of this network."""

    OWN_COORDINATOR = "own_coordinator"
    """The same, but no deputy: for what changes who coordinates."""

    MUNICIPALITY = "municipality"
    """The municipality of this network: its prevention service supplies tips."""


def stands(
    caller: Caller,
    right: Right,
    zone_id: str,
    network: NetworkRecord | None,
    now: datetime,
) -> bool:
    """Tell whether a caller stands so to a zone, or to a network of it."""
    if right is Right.ADMIN:
        return caller.has(Role.ADMIN) and caller.in_zone(zone_id)
    if right is Right.POLICE:
        return caller.has(Role.POLICE) and caller.zone == zone_id
    if right is Right.MUNICIPALITY:
        return network is not None and _is_municipality_of(caller, network)
    if network is None or not caller.has(Role.COORDINATOR):
        return False
    return any(
        c.subject == caller.subject and (right is Right.COORDINATOR or c.role != "deputy")
        for c in network.active_coordinators(now)
    )


def may_keep_members(caller: Caller, network: NetworkRecord, now: datetime) -> bool:
    """Tell whether the police of the zone stand in for a network's coordinators.

    "An officer sees [...] not the member list unless escalation requires it": a member leaves
    through a coordinator and asks them for their data, so where no coordinator or deputy is active
    it comes to the zone, the controller.
    """
    abandoned = not network.active_coordinators(now)
    return abandoned and stands(caller, Right.POLICE, network.zone_id, network, now)


def _is_municipality_of(caller: Caller, network: NetworkRecord) -> bool:
    return caller.has(Role.MUNICIPALITY) and caller.municipality == network.municipality


def held(
    caller: Caller,
    rights: Collection[Right],
    zone_id: str,
    network: NetworkRecord | None,
    now: datetime,
) -> Right | None:
    """Give the first of the rights that is the caller's, or None."""
    return next((right for right in rights if stands(caller, right, zone_id, network, now)), None)


def may(
    caller: Caller,
    rights: Collection[Right],
    zone_id: str,
    network: NetworkRecord | None,
    now: datetime,
) -> bool:
    """Tell whether one of the rights is the caller's."""
    return held(caller, rights, zone_id, network, now) is not None


def may_relay(
    caller: Caller, network: NetworkRecord, bulletin: BulletinRecord, now: datetime
) -> bool:
    """Tell whether a caller may release or return a bulletin that waits in a network.

    Its coordinators and deputies do; the zone's police only where there is none of these, since a
    network without an active coordinator has its relays go to a deputy, else to the officer; and
    once it waited so long that it was escalated to them.
    """
    if stands(caller, Right.COORDINATOR, network.zone_id, network, now):
        return True
    comes_to_them = not network.active_coordinators(now) or bulletin.has("escalated")
    return comes_to_them and stands(caller, Right.POLICE, network.zone_id, network, now)
