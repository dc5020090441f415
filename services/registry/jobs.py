"""What the registry does by the clock."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from services.registry.flows.ask_new_rules import ask_new_rules
from services.registry.flows.chase_bulletins import chase_bulletins
from services.registry.flows.context import Context
from services.registry.flows.end_suspensions import end_suspensions
from services.registry.flows.expire_bulletins import expire_bulletins
from services.registry.flows.hold_back import Gate
from services.registry.flows.remind_feedback import remind_feedback
from services.registry.flows.retain import retain
from services.registry.flows.turn_deputies import turn_deputies
from shared.service import Job

_OFTEN = timedelta(seconds=15)
_SELDOM = timedelta(hours=1)


def build_jobs(context: Context, gate: Gate) -> list[Job]:
    """Make the jobs; the caller runs them. Any process may run them, several too.

    None of them changes anything while a restored backup waits to be recovered.
    """

    def job(name: str, flow: Callable[[Context], Awaitable[bool]], interval: timedelta) -> Job:
        async def once() -> bool:
            return await gate.is_open() and await flow(context)

        return Job(name, once, interval)

    return [
        job("end-suspensions", end_suspensions, _OFTEN),
        job("retain", retain, _SELDOM),
        job("expire-bulletins", expire_bulletins, _OFTEN),
        job("chase-bulletins", chase_bulletins, _OFTEN),
        job("remind-feedback", remind_feedback, _OFTEN),
        job("ask-new-rules", ask_new_rules, _OFTEN),
        job("turn-deputies", turn_deputies, _OFTEN),
    ]
