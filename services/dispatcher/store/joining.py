"""Whom a send that is there already turns out to concern too, once its plan is completed.

A plan that was made behind its copy may know a person in one network only. What the other services
count by is fixed in a send's first event; docs/decisions/0022 says what follows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from pymongo import UpdateMany

from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.send import PlannedSend
from services.dispatcher.domain.states import UNSENT
from services.dispatcher.store.rows import gone
from shared.contracts.base import SendState
from shared.failures import Retryable
from shared.mongo import Collection, Document, Session

FIELDS: Document = dict.fromkeys(("destination", "state", "seq", "v", "members", "networks"), 1)
"""What has to be read of a row to join a planned send to it."""


class Joining(NamedTuple):
    """A row, as `FIELDS` read it, and the send that was planned to where it goes."""

    row: Document
    send: PlannedSend

    @property
    def member_ids(self) -> tuple[str, ...]:
        """Give the members whom the row does not name."""
        return tuple(one for one in self.send.member_ids if one not in self.row["members"])

    @property
    def network_ids(self) -> tuple[str, ...]:
        """Give the networks that the row does not name."""
        return tuple(one for one in self.send.network_ids if one not in self.row["networks"])

    @property
    def never_went_out(self) -> bool:
        """Tell whether the row ended without having gone out."""
        return self.row["state"] in UNSENT

    @property
    def is_told(self) -> bool:
        """Tell whether an event has fixed the row's networks, and there are others."""
        went = not self.never_went_out
        return went and self.row["seq"] > 0 and bool(self.network_ids)


class Joiner:
    """Joins planned sends to rows of collection `sends`."""

    def __init__(self, sends: Collection) -> None:
        """Bind."""
        self._sends = sends

    async def join(self, session: Session | None, found: Iterable[Joining]) -> list[PlannedSend]:
        """Have each person's further networks on record; give what is to be stored for it.

        A row without an event takes them in. One that never went out gives up its place to a send
        for those whom it did not concern. Beside any other stands a suppressed one, as beside a
        bulletin's. Raises `Retryable` where the rows are changing right now: plan again.
        """
        lacking = [one for one in found if one.member_ids]
        ended = [one for one in lacking if one.never_went_out]
        told = [one for one in lacking if one.is_told]
        silent = [one for one in lacking if not one.never_went_out and not one.is_told]
        await self._write(session, [*map(_taken_in, silent), *map(_given_up, ended)])
        beside = [await self._beside(session, one) for one in told]
        return [one.send for one in ended] + [send for send in beside if send is not None]

    async def _write(self, session: Session | None, writes: Sequence[UpdateMany]) -> None:
        if not writes:
            return
        written = await self._sends.bulk_write(writes, ordered=False, session=session)
        if written.matched_count < len(writes):
            raise Retryable("sends of this message are changing")

    async def _beside(self, session: Session | None, one: Joining) -> PlannedSend | None:
        """Give the suppressed send that names those who have it by the row's; None if it exists."""
        query = {
            "message": str(one.send.key),
            "channel": str(one.send.channel),
            "members": {"$in": list(one.member_ids)},
            "reason": str(SendReason.OTHER_NETWORK),
        }
        there = self._sends.find(query, {"members": 1, "networks": 1}, session=session)
        named = {name async for row in there.hint("members") for name in row["members"]}
        members = tuple(member for member in one.member_ids if member not in named)
        if not members:
            return None
        return replace(
            one.send,
            # two planners at once store it once
            destination=f"{gone(one.row['_id'])}/{members[0]}",
            member_ids=members,
            network_ids=one.network_ids,
            state=SendState.SUPPRESSED,
            reason=SendReason.OTHER_NETWORK,
        )


def _taken_in(one: Joining) -> UpdateMany:
    return _changed(
        one,
        {
            "members": sorted({*one.row["members"], *one.send.member_ids}),
            "networks": sorted({*one.row["networks"], *one.send.network_ids}),
        },
    )


def _given_up(one: Joining) -> UpdateMany:
    return _changed(one, {"destination": gone(one.row["_id"]), "token": None})


def _changed(one: Joining, values: Document) -> UpdateMany:
    # the version rises, so that whoever holds the row reads it again before its next event
    where = {"_id": one.row["_id"], "v": one.row["v"]}
    return UpdateMany(where, {"$set": values, "$inc": {"v": 1}})
