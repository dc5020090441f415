"""What the registry does by the clock."""

from datetime import timedelta

from services.registry.flows.context import Context
from services.registry.flows.expire_bulletins import expire_bulletins
from services.registry.flows.turn_deputies import turn_deputies
from shared.service import Job

_OFTEN = timedelta(seconds=15)


def build_jobs(context: Context) -> list[Job]:
    """Make the jobs; the caller runs them. Any process may run them, several too."""

    async def expire() -> bool:
        return await expire_bulletins(context)

    async def turn() -> bool:
        return await turn_deputies(context)

    return [Job("expire-bulletins", expire, _OFTEN), Job("turn-deputies", turn, _OFTEN)]
