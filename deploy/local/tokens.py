"""The ready-made tokens of the local stack: one per role, all for zone `demo`."""

from dataclasses import dataclass

from deploy.local.issuer import Issuer

DEMO_ZONE = "demo"
DEMO_MUNICIPALITY = "44021"
"""The NIS code of Ghent."""


@dataclass(frozen=True, slots=True)
class _Person:
    role: str
    sub: str
    zone: str | None = DEMO_ZONE
    municipality: str | None = None


_PEOPLE = {
    "admin": _Person("admin", "admin-1", zone=None),
    "operator": _Person("operator", "operator-1", zone=None),
    "police": _Person("police", "officer-1"),
    "police-2": _Person("police", "officer-2"),
    "coordinator": _Person("coordinator", "coordinator-1"),
    "auditor": _Person("auditor", "auditor-1"),
    "municipality": _Person("municipality", "municipality-1", municipality=DEMO_MUNICIPALITY),
    "federal": _Person("federal", "federal-1", zone=None),
}


def ready_made_tokens(issuer: Issuer) -> dict[str, str]:
    """Make all of them; they last 30 days and are made anew at each start."""
    return {
        name: issuer.mint(
            person.role, sub=person.sub, zone=person.zone, municipality=person.municipality
        )
        for name, person in _PEOPLE.items()
    }
