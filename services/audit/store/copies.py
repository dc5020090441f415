"""What the audit service keeps of zones and networks: collections `zones` and `networks`."""

from collections.abc import Iterable, Sequence

from pymongo import UpdateOne

from shared.contracts import Network, Zone
from shared.mongo import Database, Document, Session


class Copies:
    """The latest versions; only a greater one replaces another."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._zones = database["zones"]
        self._networks = database["networks"]

    async def zone(self, session: Session, zone_id: str) -> Zone | None:
        """Give the version of a zone that was taken in last."""
        row = await self._zones.find_one({"_id": zone_id}, session=session)
        return None if row is None else Zone.model_validate(row["zone"])

    async def latest(self, zone_id: str) -> Zone | None:
        """Give a zone as it is now, for whoever shows its name, contact and legal basis."""
        row = await self._zones.find_one({"_id": zone_id})
        return None if row is None else Zone.model_validate(row["zone"])

    async def knows(self, zone_id: str) -> bool:
        """Tell whether there is such a zone."""
        return await self._zones.find_one({"_id": zone_id}, {"_id": 1}) is not None

    async def set_zone(self, session: Session, zone: Zone) -> None:
        """Replace a zone."""
        row: Document = {"version": zone.version, "zone": zone.model_dump(mode="json")}
        await self._zones.replace_one({"_id": zone.zone_id}, row, upsert=True, session=session)

    async def set_networks(self, session: Session, networks: Sequence[Network]) -> None:
        """Take networks in: their name and place, and no contact."""
        latest: dict[str, Network] = {}
        for network in networks:
            known = latest.get(network.network_id)
            if known is None or network.version > known.version:
                latest[network.network_id] = network
        stored = self._networks.find(
            {"_id": {"$in": list(latest)}}, {"version": 1}, session=session
        )
        versions = {row["_id"]: row["version"] async for row in stored}
        writes = [
            UpdateOne(
                {"_id": network.network_id},
                {
                    "$set": {
                        "version": network.version,
                        "zone_id": network.zone_id,
                        "name": network.name,
                        "municipality": network.municipality,
                    }
                },
                upsert=True,
            )
            for network in latest.values()
            if network.version > versions.get(network.network_id, 0)
        ]
        if writes:
            await self._networks.bulk_write(writes, session=session)

    async def names(self, network_ids: Iterable[str]) -> dict[str, str]:
        """Give the names of networks."""
        rows = self._networks.find({"_id": {"$in": list(network_ids)}}, {"name": 1})
        return {row["_id"]: row["name"] async for row in rows}
