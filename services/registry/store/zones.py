"""The police zones, in collection `zones`."""

from typing import ClassVar

from services.registry.domain.zone import ZoneRecord
from services.registry.store.rows import Aggregates
from shared.mongo import Document


class Zones(Aggregates[ZoneRecord]):
    """All zones, by their id."""

    model = ZoneRecord
    collection: ClassVar[str] = "zones"
    id_field: ClassVar[str] = "zone_id"
    taken: ClassVar[dict[str, tuple[str, str, str]]] = {
        "_id": ("zone-id-taken", "There is a zone with this zone_id; choose another.", "zone_id")
    }

    async def listed(self, zone_id: str | None, after: str | None, limit: int) -> list[ZoneRecord]:
        """Give zones by id: all, or the one of `zone_id`."""
        query: Document = {} if zone_id is None else {"_id": zone_id}
        if after is not None:
            query = {"$and": [query, {"_id": {"$gt": after}}]}
        rows = self.rows.find(query).sort("_id", 1).limit(limit)
        return [self.read(row) async for row in rows]
