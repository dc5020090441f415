"""Share the providers' rates among the processes of the dispatcher."""

from collections.abc import Sequence
from typing import Protocol

from services.dispatcher.store.processes import Processes


class Sharing(Protocol):
    """Who uses a provider's rate."""

    def share(self, among: int) -> None:
        """Take part of it, since so many use it."""
        ...


class ShareRates:
    """A number or name may send so many a second, however many processes send by it.

    One that has just begun, or died, is noticed within some seconds; until then the rate is
    passed, or not reached, by its part.
    """

    def __init__(self, processes: Processes, workers: Sequence[Sharing]) -> None:
        """Bind."""
        self._processes = processes
        self._workers = workers

    async def once(self) -> bool:
        """Count, and share; there is never more to do at once."""
        among = max(1, await self._processes.count())
        for worker in self._workers:
            worker.share(among)
        return False
