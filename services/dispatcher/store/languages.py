"""Which languages the networks speak."""

from typing import cast

from shared.contracts.base import LANGUAGES, Language
from shared.mongo import Database


class Languages:
    """A view of the copied networks."""

    def __init__(self, database: Database) -> None:
        """Bind to the dispatcher's database."""
        self._networks = database["copy_networks"]

    async def used(self) -> tuple[Language, ...]:
        """Give the languages of all networks; every language while there is no network."""
        found = cast("list[str]", await self._networks.distinct("event.languages"))
        used: tuple[Language, ...] = tuple(one for one in LANGUAGES if one in found)
        return used or LANGUAGES
