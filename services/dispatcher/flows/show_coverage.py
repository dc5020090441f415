"""Show how far a message came: live, by state, network and time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from services.dispatcher.domain.coverage import seconds_until
from services.dispatcher.domain.message import Message
from services.dispatcher.flows.record_access import RecordAccess
from services.dispatcher.flows.visible_messages import Scope, scope_of
from services.dispatcher.store.closings import Closing, Closings
from services.dispatcher.store.copy import Copy
from services.dispatcher.store.coverage import FAILURES, Coverage, Failure, Figures
from shared.access import Caller, not_found
from shared.contracts.base import SendState

FAILURES_MOST = 1000
"""How many are named at once; how many there are is told besides."""


class Times(NamedTuple):
    """Seconds until half, 95 % and all of what is owed had got so far; None until then."""

    p50: float | None
    p95: float | None
    all: float | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the caller gets to see."""

    message: Message
    networks: dict[str, Counter[SendState]]
    people: int
    states: Counter[SendState]
    accepted: Times
    delivered: Times
    closed_revision: int | None
    closed_at: datetime | None
    failures: list[Failure] | None
    failed: int
    """How many sends did not get through, named or not."""


class ShowCoverage:
    """Coverage of one message; of a bulletin, over the releases that the caller may see."""

    def __init__(
        self,
        *,
        coverage: Coverage,
        closings: Closings,
        copy: Copy,
        record: RecordAccess,
    ) -> None:
        """Wire."""
        self._coverage = coverage
        self._closings = closings
        self._copy = copy
        self._record = record

    async def show(self, caller: Caller, message_id: str, *, failures: bool) -> Shown:
        """Give the figures. Raises 404 for what the caller may not see."""
        scope = await scope_of(caller, self._copy)
        found = [m for m in await self._coverage.of_id(message_id) if scope.shows(m)]
        if not found or (failures and not scope.failures):
            raise not_found()
        keys = [message.key for message in found]
        figures = await self._coverage.figures(keys, scope.network_ids)
        named = None
        if failures:
            named = await self._coverage.failures(keys, scope.network_ids, FAILURES_MOST)
            named = await self._within(scope, named)
            await self._recorded(caller, scope, message_id, named)
        closings = await self._closings.of_message(scope.zone_id, message_id)
        return _shown(scope, found, figures, named, [c for c in closings if c.key in keys])

    async def _within(self, scope: Scope, failures: Sequence[Failure]) -> list[Failure]:
        """Leave out other networks of who shares a send: they are no affair of a coordinator."""
        if scope.network_ids is None:
            return list(failures)
        members = await self._copy.members({i for one in failures for i in one.member_ids})
        mine = {i for i, member in members.items() if member.network_id in scope.network_ids}
        return [
            replace(
                one,
                member_ids=tuple(i for i in one.member_ids if i in mine),
                network_ids=tuple(i for i in one.network_ids if i in scope.network_ids),
            )
            for one in failures
        ]

    async def _recorded(
        self, caller: Caller, scope: Scope, message_id: str, named: Sequence[Failure]
    ) -> None:
        """Put on record who saw which members."""
        await self._record(
            caller,
            scope.zone_id,
            "read",
            "coverage.failures",
            member_ids={one for failure in named for one in failure.member_ids},
            message_id=message_id,
        )


def _shown(
    scope: Scope,
    found: Sequence[Message],
    figures: Figures,
    named: list[Failure] | None,
    closings: Sequence[Closing],
) -> Shown:
    since = min(message.accepted_at for message in found)
    closed = len(closings) == len(found) and all(c.revision > 0 for c in closings)

    def times(reached: Sequence[tuple[datetime, int]]) -> Times:
        p50, p95, everyone = (
            seconds_until(share, figures.owed, reached, since) for share in (0.5, 0.95, 1.0)
        )
        return Times(p50, p95, everyone)

    return Shown(
        message=found[0],
        networks={
            network: figures.by_network.get(network, Counter())
            for message in found
            for network in message.network_ids
            if scope.network_ids is None or network in scope.network_ids
        }
        | figures.by_network,  # an all-clear goes beyond the networks that it names
        people=figures.people,
        states=figures.states,
        accepted=times(figures.accepted),
        delivered=times(figures.delivered),
        closed_revision=max(c.revision for c in closings) if closed else None,
        closed_at=max(c.closed_at for c in closings if c.closed_at) if closed else None,
        failures=named,
        failed=sum(figures.states[state] for state in FAILURES),
    )
