"""Describe everything on record about one number or address, for the person that it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import orjson

from services.audit.flows.describe_message import Described, DescribeMessage
from services.audit.flows.look_up_subject import LookUpSubject, SubjectRecord
from services.audit.store.copies import Copies
from shared.contracts.registry import ZoneContact


@dataclass(frozen=True, slots=True)
class SubjectLife:
    """A person's record, with the messages that it speaks of."""

    record: SubjectRecord
    messages: Mapping[str, Described]
    """By message id; a notice has no text."""

    zone_name: str
    contact: ZoneContact | None
    """None where the zone has not stated it."""

    text_kept_for: timedelta
    private_kept_for: timedelta


class DescribeSubject:
    """Article 15 of the GDPR, in words."""

    def __init__(
        self,
        look_up: LookUpSubject,
        describe: DescribeMessage,
        copies: Copies,
        *,
        text_kept_for: timedelta,
        private_kept_for: timedelta,
    ) -> None:
        """Wire."""
        self._look_up = look_up
        self._describe = describe
        self._copies = copies
        self._text_kept_for = text_kept_for
        self._private_kept_for = private_kept_for

    async def __call__(self, log: str, destination: str) -> SubjectLife:
        """Give it; the caller has recorded the look-up."""
        record = await self._look_up(log, destination)
        ids = {str(orjson.loads(entry.body)["message_id"]) for entry in record.latest}
        messages: dict[str, Described] = {}
        for message_id in sorted(ids):
            found = await self._describe(log, message_id)
            if found is not None:
                messages[message_id] = found
        zone = await self._copies.latest(log)
        return SubjectLife(
            record=record,
            messages=messages,
            zone_name=log if zone is None else zone.name,
            contact=None if zone is None else zone.contact,
            text_kept_for=self._text_kept_for,
            private_kept_for=self._private_kept_for,
        )
