"""Authorisation as dependencies: who calls, and how they stand to the zone or network in the URL.

What a caller may not see raises the same 404 as what does not exist.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, get_args

from fastapi import Depends, Header, Request

from services.registry.domain.network import NetworkRecord
from services.registry.domain.rights import EscalationReason, Right, held, may_keep_members, stands
from services.registry.domain.zone import ZoneRecord
from services.registry.flows.context import Actor, Context
from shared.access import Caller, Role, Roles, caller, not_found
from shared.http import Problem


def context_of(request: Request) -> Context:
    """Give what `app.build` wired."""
    context: Context = request.app.state.context
    return context


Wired = Annotated[Context, Depends(context_of)]


def actor_of(who: Caller) -> Actor:
    """Give the actor whom the records name."""
    return Actor.subject(who.subject)


_CAPACITIES = {right: str(right) for right in Right} | {
    Right.OWN_COORDINATOR: str(Right.COORDINATOR)
}
"""In which capacity a right has somebody act, as the records say it."""


@dataclass(frozen=True, slots=True)
class ZoneScope:
    """A caller who has a right in a zone."""

    caller: Caller
    zone: ZoneRecord
    right: Right
    """Which of the rights that open the route is theirs."""

    @property
    def actor(self) -> Actor:
        """Give the actor whom the records name."""
        return Actor.subject(self.caller.subject, _CAPACITIES[self.right])


@dataclass(frozen=True, slots=True)
class NetworkScope:
    """A caller who has a right in a network."""

    caller: Caller
    network: NetworkRecord
    right: Right
    """Which of the rights that open the route is theirs."""

    escalation: EscalationReason | None = None
    """Why the police stand in for the coordinators; None where they do not."""

    @property
    def actor(self) -> Actor:
        """Give the actor whom the records name."""
        return Actor.subject(self.caller.subject, _CAPACITIES[self.right], self.escalation)

    def stands(self, right: Right, now: datetime) -> bool:
        """Tell whether one of the rights is the caller's, where several open a route."""
        return stands(self.caller, right, self.network.zone_id, self.network, now)


class InZone:
    """Dependency: a caller with one of these rights in the zone of the URL."""

    def __init__(self, *rights: Right) -> None:
        """Name the rights."""
        self.rights = rights

    async def __call__(
        self, request: Request, zone_id: str, who: Annotated[Caller, Depends(caller)]
    ) -> ZoneScope:
        """Find the zone, and check the authenticated caller."""
        context = context_of(request)
        right = held(who, self.rights, zone_id, None, context.clock.now())
        if right is None:
            raise not_found()
        zone = await context.zones.find(zone_id)
        if zone is None:
            raise not_found()
        return ZoneScope(who, zone, right)


class InNetwork:
    """Dependency: a caller with one of these rights in the network of the URL."""

    def __init__(self, *rights: Right) -> None:
        """Name the rights."""
        self.rights = rights

    async def __call__(
        self, request: Request, network_id: str, who: Annotated[Caller, Depends(caller)]
    ) -> NetworkScope:
        """Find the network, and check the authenticated caller."""
        context = context_of(request)
        network = await context.networks.find(network_id)
        if network is None:
            raise not_found()
        right = held(who, self.rights, network.zone_id, network, context.clock.now())
        if right is None:
            raise not_found()
        return NetworkScope(who, network, right)


_ESCALATIONS: dict[str, EscalationReason] = {code: code for code in get_args(EscalationReason)}
_WHY = Header(
    json_schema_extra={"enum": list(_ESCALATIONS)},
    description="Why the zone's police look, where the network has no active coordinator.",
)


class InMembers:
    """Dependency: a coordinator of the network, or the zone's police where there is none.

    The police give a code in `Escalation-Reason`, which goes on record with what they do.
    """

    async def __call__(
        self,
        request: Request,
        network_id: str,
        who: Annotated[Caller, Depends(caller)],
        # any text here: a code is asked for from those only who may know that the network exists
        escalation_reason: Annotated[str | None, _WHY] = None,
    ) -> NetworkScope:
        """Find the network, and check the authenticated caller."""
        context = context_of(request)
        network, now = await context.networks.find(network_id), context.clock.now()
        if network is None:
            raise not_found()
        if stands(who, Right.COORDINATOR, network.zone_id, network, now):
            return NetworkScope(who, network, Right.COORDINATOR)
        if not may_keep_members(who, network, now):
            raise not_found()
        why = _ESCALATIONS.get(escalation_reason or "")
        if why is None:
            raise Problem(
                422,
                "escalation-reason-needed",
                "This network has no active coordinator, so the zone's police may look. Say why in "
                f"the header `Escalation-Reason`: {', '.join(_ESCALATIONS)}. It is on record.",
                field="Escalation-Reason",
            )
        return NetworkScope(who, network, Right.POLICE, why)


Admin = Annotated[Caller, Depends(Roles(Role.ADMIN))]
ZoneKeeper = Annotated[Caller, Depends(Roles(Role.ADMIN, Role.POLICE))]
NetworkReader = Annotated[
    Caller, Depends(Roles(Role.ADMIN, Role.POLICE, Role.COORDINATOR, Role.MUNICIPALITY))
]
FigureReader = Annotated[Caller, Depends(Roles(Role.POLICE, Role.MUNICIPALITY, Role.FEDERAL))]
Operator = Annotated[Caller, Depends(Roles(Role.OPERATOR))]

ZoneAdmin = Annotated[ZoneScope, Depends(InZone(Right.ADMIN))]
ZonePolice = Annotated[ZoneScope, Depends(InZone(Right.POLICE))]
ZoneStaff = Annotated[ZoneScope, Depends(InZone(Right.ADMIN, Right.POLICE))]

NetworkPolice = Annotated[NetworkScope, Depends(InNetwork(Right.POLICE))]
NetworkStaff = Annotated[NetworkScope, Depends(InNetwork(Right.ADMIN, Right.POLICE))]
NetworkKeeper = Annotated[
    NetworkScope, Depends(InNetwork(Right.ADMIN, Right.POLICE, Right.COORDINATOR))
]
NetworkRelay = Annotated[NetworkScope, Depends(InNetwork(Right.POLICE, Right.COORDINATOR))]
BulletinReader = Annotated[
    NetworkScope, Depends(InNetwork(Right.POLICE, Right.COORDINATOR, Right.MUNICIPALITY))
]
BulletinWriter = Annotated[NetworkScope, Depends(InNetwork(Right.COORDINATOR, Right.MUNICIPALITY))]
Coordinators = Annotated[NetworkScope, Depends(InNetwork(Right.COORDINATOR))]
MemberKeeper = Annotated[NetworkScope, Depends(InMembers())]
CoordinatorKeeper = Annotated[
    NetworkScope, Depends(InNetwork(Right.ADMIN, Right.POLICE, Right.OWN_COORDINATOR))
]


def read_version(if_match: Annotated[str | None, Header()] = None) -> int:
    """Give the version that the caller read, from `If-Match`."""
    if if_match is None:
        raise Problem(
            428,
            "if-match-needed",
            "Send the ETag of what you read in the If-Match header, so that nobody else's change "
            "is lost.",
        )
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit():
        raise stale()
    return int(text)


ReadVersion = Annotated[int, Depends(read_version)]


def etag(version: int) -> str:
    """Give the ETag of a version."""
    return f'"{version}"'


def stale() -> Problem:
    """Say that somebody else changed it meanwhile."""
    return Problem(
        412,
        "changed-meanwhile",
        "Somebody else changed this since you read it. Read it again and repeat your change.",
    )
