"""What the registry does by the clock."""

from datetime import timedelta

from services.registry.flows.ask_new_rules import ask_new_rules
from services.registry.flows.chase_bulletins import chase_bulletins
from services.registry.flows.context import Context
from services.registry.flows.end_suspensions import end_suspensions
from services.registry.flows.expire_bulletins import expire_bulletins
from services.registry.flows.remind_feedback import remind_feedback
from services.registry.flows.retain import retain
from services.registry.flows.turn_deputies import turn_deputies
from shared.service import Job

_OFTEN = timedelta(seconds=15)
_SELDOM = timedelta(hours=1)


def build_jobs(context: Context) -> list[Job]:
    """Make the jobs; the caller runs them. Any process may run them, several too."""

    async def expire() -> bool:
        return await expire_bulletins(context)

    async def turn() -> bool:
        return await turn_deputies(context)

    async def chase() -> bool:
        return await chase_bulletins(context)

    async def remind() -> bool:
        return await remind_feedback(context)

    async def ask() -> bool:
        return await ask_new_rules(context)

    async def end() -> bool:
        return await end_suspensions(context)

    async def delete() -> bool:
        return await retain(context)

    return [
        Job("end-suspensions", end, _OFTEN),
        Job("retain", delete, _SELDOM),
        Job("expire-bulletins", expire, _OFTEN),
        Job("chase-bulletins", chase, _OFTEN),
        Job("remind-feedback", remind, _OFTEN),
        Job("ask-new-rules", ask, _OFTEN),
        Job("turn-deputies", turn, _OFTEN),
    ]
