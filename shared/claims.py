"""Ids of police messages: an accepted one is taken for good, per zone and message type."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pymongo.errors import DuplicateKeyError

from shared.contracts import Verdict
from shared.contracts.base import MessageType
from shared.contracts.dispatcher import Reason
from shared.failures import Retryable
from shared.judging import ID_FIELD, Case, Duplicate, Refused
from shared.mongo import Database, Document, Session


@dataclass(frozen=True, slots=True)
class Claim:
    """Who took an id: the record, the hash of its value, and the verdict it got."""

    topic: str
    partition: int
    offset: int
    sha256: str
    verdict: Verdict


class Claims:
    """The taken ids of one message type, in collection `claims`. They outlive their messages."""

    def __init__(self, database: Database, message_type: MessageType) -> None:
        """Bind to the judge's database."""
        self._rows = database["claims"]
        self._type = message_type

    def _row_id(self, zone_id: str, message_id: str) -> str:
        return f"{zone_id}|{self._type}|{message_id}"

    async def find(
        self, session: Session, ids: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], Claim]:
        """Give the claims among `ids`, pairs of zone and message id, in the judge's transaction."""
        by_row = {self._row_id(*pair): pair for pair in ids}
        rows = self._rows.find({"_id": {"$in": list(by_row)}}, session=session)
        return {by_row[row["_id"]]: _claim(row) async for row in rows}

    async def take(self, session: Session, case: Case, verdict: Verdict) -> Claim:
        """Take the id of an accepted record, in the judge's transaction.

        Raises `Retryable` where another judge took it at the same moment.
        """
        record = case.record
        claim = Claim(record.topic, record.partition, record.offset, case.sha256, verdict)
        row: Document = {
            "_id": self._row_id(str(verdict.zone_id), str(verdict.message_id)),
            "topic": claim.topic,
            "partition": claim.partition,
            "offset": claim.offset,
            "sha256": claim.sha256,
            "verdict": verdict.to_json().decode(),
            "at": verdict.judged_at,
        }
        try:
            await self._rows.insert_one(row, session=session)
        except DuplicateKeyError as error:
            message = "the id was taken at the same moment"
            raise Retryable(message) from error
        return claim

    async def restore(self, session: Session, verdict: Verdict) -> None:
        """Take an id again as an earlier verdict of this judge did, which a backup lost."""
        original = verdict.original
        row: Document = {
            "topic": original.topic,
            "partition": original.partition,
            "offset": original.offset,
            "sha256": original.sha256,
            "verdict": verdict.to_json().decode(),
            "at": verdict.judged_at,
        }
        row_id = self._row_id(str(verdict.zone_id), str(verdict.message_id))
        await self._rows.update_one(
            {"_id": row_id}, {"$setOnInsert": row}, upsert=True, session=session
        )


def _claim(row: Document) -> Claim:
    return Claim(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        sha256=row["sha256"],
        verdict=Verdict.from_json(row["verdict"].encode()),
    )


def earlier_verdict(
    case: Case, claims: Mapping[tuple[str, str], Claim], zone_id: str, message_id: str
) -> Verdict | None:
    """Judge by the claims: the verdict to repeat for the same record, or None for a free id.

    Raises `Duplicate` for the same bytes in another record, `Refused` for other bytes.
    """
    claim = claims.get((zone_id, message_id))
    if claim is None:
        return None
    record = case.record
    if (claim.topic, claim.partition, claim.offset) == (
        record.topic,
        record.partition,
        record.offset,
    ):
        return claim.verdict
    if claim.sha256 == case.sha256:
        raise Duplicate
    raise Refused(Reason.ID_TAKEN, ID_FIELD[case.message_type])
