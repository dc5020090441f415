"""The rows of a log, read and changed behind the service's back."""

from typing import Any

import orjson
from bson import Binary

from services.audit.store.blocks import BLOCK, block_id
from shared.mongo import Database, Document


def _of(log: str) -> Document:
    return {"_id": {"$gte": f"{log}|", "$lt": f"{log}}}"}}


async def bodies(database: Database, log: str = "demo") -> list[bytes]:
    """Give the entries as they were hashed, in order."""
    rows = database["entries"].find(_of(log)).sort("_id", 1)
    return [bytes(body) async for row in rows for body in row["bodies"]]


async def entries(database: Database, log: str = "demo") -> list[dict[str, Any]]:
    """Give the entries, in order."""
    return [orjson.loads(body) for body in await bodies(database, log)]


async def set_body(database: Database, index: int, body: bytes, log: str = "demo") -> None:
    """Put other bytes in the place of an entry."""
    change: Document = {"$set": {f"bodies.{index % BLOCK}": Binary(body)}}
    await database["entries"].update_one({"_id": block_id(log, index)}, change)


async def set_bodies(database: Database, kept: list[bytes], log: str = "demo") -> None:
    """Have exactly these entries, written as the service writes them."""
    await database["entries"].delete_many(_of(log))
    blocks = [
        {"_id": block_id(log, first), "bodies": kept[first : first + BLOCK]}
        for first in range(0, len(kept), BLOCK)
    ]
    if blocks:
        await database["entries"].insert_many(blocks)


async def parts(database: Database, log: str = "demo") -> dict[int, Document]:
    """Give the private parts that are kept, by the index of their entry."""
    rows = await database["private"].find(_of(log)).sort("_id", 1).to_list()
    kept = {part["index"]: part for row in rows for part in row["parts"]}
    return {index: kept[index] for index in sorted(kept)}


async def set_part(database: Database, index: int, **fields: object) -> None:
    """Change what stands beside a private part."""
    changes = {f"parts.$.{name}": value for name, value in fields.items()}
    await database["private"].update_one({"parts.index": index}, {"$set": changes})


async def take_part(database: Database, index: int) -> None:
    """Take a private part away."""
    gone: Document = {"$pull": {"parts": {"index": index}}}
    await database["private"].update_many({"parts.index": index}, gone)


async def take_ended(database: Database) -> None:
    """Take away every private part that a date would end."""
    gone: Document = {"$pull": {"parts": {"until": {"$exists": True}}}}
    await database["private"].update_many({}, gone)
