"""Who may call: roles, and a caller as a token describes one. Pure; `access` does the checking."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a token says about its subject."""

    POLICE = "police"
    COORDINATOR = "coordinator"
    AUDITOR = "auditor"
    MUNICIPALITY = "municipality"
    FEDERAL = "federal"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated subject. `zone` and `municipality` narrow what the roles allow."""

    subject: str
    roles: frozenset[Role]
    zone: str | None
    municipality: str | None

    def has(self, *roles: Role) -> bool:
        """Tell whether the caller has one of the roles."""
        return not self.roles.isdisjoint(roles)

    def in_zone(self, zone_id: str) -> bool:
        """Tell whether the caller's token is for this zone; admins and operators are for all."""
        return self.zone == zone_id or (self.zone is None and self.has(Role.ADMIN, Role.OPERATOR))
