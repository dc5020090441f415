"""Which networks have new house rules that their members are being asked to accept."""

from dataclasses import dataclass

from shared.mongo import Database, Document, Session


@dataclass(frozen=True, slots=True)
class RuleAsk:
    """New house rules of a network, and the last member who was asked."""

    network_id: str
    version: int
    after: str | None


class RuleAsks:
    """One row per network, in collection `rule_asks`, gone once everybody was asked."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["rule_asks"]

    async def begin(self, session: Session, network_id: str, version: int) -> None:
        """Begin to ask, or begin anew with a newer version."""
        row: Document = {"_id": network_id, "version": version, "after": None}
        await self._rows.replace_one({"_id": network_id}, row, upsert=True, session=session)

    async def some(self, limit: int) -> list[str]:
        """Give networks in which somebody is to be asked yet."""
        return [str(row["_id"]) async for row in self._rows.find({}, {"_id": 1}).limit(limit)]

    async def find(self, session: Session, network_id: str) -> RuleAsk | None:
        """Give how far a network is, or None."""
        row = await self._rows.find_one({"_id": network_id}, session=session)
        return None if row is None else RuleAsk(network_id, int(row["version"]), row["after"])

    async def move(self, session: Session, ask: RuleAsk, after: str | None) -> None:
        """Note the last member who was asked; None: everybody was."""
        if after is None:
            await self._rows.delete_one({"_id": ask.network_id}, session=session)
            return
        change: Document = {"$set": {"after": after}}
        await self._rows.update_one({"_id": ask.network_id}, change, session=session)
