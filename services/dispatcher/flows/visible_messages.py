"""Decide which messages somebody may see; what they may not, does not exist for them."""

from collections.abc import Collection
from dataclasses import dataclass

from services.dispatcher.domain.message import Message
from services.dispatcher.store.copy import Copy
from shared.access import Caller, Role, not_found

READERS = (Role.POLICE, Role.COORDINATOR, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller may see: a zone, and in it all networks (None) or some."""

    zone_id: str
    network_ids: Collection[str] | None
    failures: bool
    """Whether they may see who was not reached."""

    def shows(self, message: Message) -> bool:
        """Tell whether a message is within this scope."""
        if message.key.zone_id != self.zone_id:
            return False
        return self.network_ids is None or not set(self.network_ids).isdisjoint(message.network_ids)


async def scope_of(caller: Caller, copy: Copy) -> Scope:
    """Give a caller's scope. Raises 404 for who sees nothing.

    Police and auditors see their zone; coordinators the networks that the registry names them in,
    whatever their token says. An auditor sees no members.
    """
    if caller.zone is None:
        raise not_found()
    if caller.has(Role.POLICE):
        return Scope(caller.zone, None, failures=True)
    if caller.has(Role.AUDITOR):
        return Scope(caller.zone, None, failures=False)
    return Scope(caller.zone, await copy.networks_of(caller.subject), failures=True)
