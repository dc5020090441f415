"""Loads the demo's zone, networks and people through the registry's own interface, as their roles.

Nothing here bypasses a rule: an admin creates, the police screen, a coordinator takes members in.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Self

from cli import keyfile
from cli.api import Api
from cli.connection import StackFile
from cli.demo_people import (
    MUNICIPALITY,
    NETWORKS,
    ZONE,
    ZONE_NAME,
    DemoNetwork,
    Person,
    people,
)
from cli.failures import CommandError
from shared.clock import Clock
from shared.contracts.base import Language

OFFICERS = ("officer-1", "officer-2")
_AT_ONCE = 8
"""Requests in flight: two cores are busy with four, and the rest hides the round trips."""

_SIGNED_ON = date(2026, 3, 2)

_LEGAL_BASIS = {
    "warm": "task in the public interest (law on the police function, art. 14)",
    "cold": "task in the public interest (ministerial circular of 28 February 2019)",
}
_PRIVACY = {
    "address": "Voorbeeldstraat 1, 9000 Gent",
    "officer": "privacy@politie-demo.example",
    "impact_assessment": "GEB BIN 2026/1, 12 January 2026",
}
_DOCUMENTS: dict[str, dict[Language, str]] = {
    "charter": {
        "nl": "Charter van het buurtinformatienetwerk.",
        "fr": "Charte du partenariat local de prévention.",
    },
    "house_rules": {
        "nl": "Meld wat u ziet aan 101. Treed nooit zelf op. Deel geen berichten op sociale media.",
        "fr": "Signalez ce que vous voyez au 101. N'intervenez jamais vous-même. Ne partagez pas "
        "les messages sur les réseaux sociaux.",
    },
    "communication_plan": {
        "nl": "Warme berichten per sms, koude berichten per e-mail.",
        "fr": "Messages chauds par SMS, messages froids par courriel.",
    },
}


@dataclass(frozen=True, slots=True)
class Roles:
    """The registry, as each of those who act."""

    admin: Api
    police: Api
    police_2: Api
    coordinator: Api

    @classmethod
    def enter(cls, stack: StackFile, exits: ExitStack) -> Self:
        """Connect as each, until `exits` ends. Raises `CommandError` where a token is missing."""
        if stack.registry is None:
            raise CommandError("the stack's file does not say where the registry is")
        names = ("admin", "police", "police-2", "coordinator")
        url = stack.registry
        return cls(
            *(exits.enter_context(Api("registry", url, stack.tokens[name])) for name in names)
        )


def network_id(slug: str) -> str:
    """Give a demo network's id."""
    return f"bin-{slug}"


def network_ids() -> list[str]:
    """Give the ids of all demo networks."""
    return [network_id(network.slug) for network in NETWORKS]


def key_path(folder: Path, officer: str) -> Path:
    """Name an officer's private key file."""
    return folder / f"{officer}.jwk"


def load(stack: StackFile, keys: Path) -> None:
    """Load everything; `keys` is the folder for the two officers' private keys.

    Raises `CommandError` with the registry's own explanation where it refuses something.
    """
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as exits:
        roles = Roles.enter(stack, exits)
        _zone(roles, keys)
        for network in NETWORKS:
            _network(roles, network)
        _everybody(roles.coordinator)


def _zone(roles: Roles, keys: Path) -> None:
    zone = {
        "zone_id": ZONE,
        "name": ZONE_NAME,
        "legal_basis": _LEGAL_BASIS,
        "privacy": _PRIVACY,
    }
    roles.admin.post("/v1/zones", zone)
    for officer, confirmer in zip(OFFICERS, (roles.police_2, roles.police), strict=True):
        roles.admin.post(
            f"/v1/zones/{ZONE}/officers",
            {
                "officer_id": officer,
                "subject": officer,
                "name": f"Inspecteur {officer[-1]}",
                "email": f"{officer}@politie-demo.example",
                "language": "nl",
            },
        )
        kid = _enrol(roles.admin, officer, key_path(keys, officer))
        confirmer.post(f"/v1/zones/{ZONE}/keys/{kid}/confirm")


def _enrol(admin: Api, officer: str, path: Path) -> str:
    now = Clock().now()
    key = keyfile.new_key(ZONE, officer, f"{ZONE}-{officer}")
    enrolment = keyfile.Enrolment(
        key.public(), ZONE, officer, now - timedelta(minutes=1), now + timedelta(days=365)
    )
    for old in (path, keyfile.public_path(path)):
        old.unlink(missing_ok=True)  # of a load that did not come to its end
    keyfile.write(key, enrolment, path)
    admin.put(f"/v1/zones/{ZONE}/keys/{key.kid}", enrolment.body())
    return key.kid


def _network(roles: Roles, network: DemoNetwork) -> None:
    own = network_id(network.slug)
    roles.admin.post(
        "/v1/networks",
        {
            "network_id": own,
            "zone_id": ZONE,
            "name": network.name,
            "municipality": MUNICIPALITY,
            "kind": network.kind,
            "languages": network.languages,
            "sender_name": network.sender_name,
            "area": {"type": "streets", "streets": network.streets},
            "officer_id": OFFICERS[0],
        },
    )
    for coordinator in _coordinators(network):
        found = roles.police.post(f"/v1/networks/{own}/coordinators", coordinator)
        where = f"/v1/networks/{own}/coordinators/{found['coordinator_id']}/screen"
        roles.police.post(where, {"outcome": "passed"})
    for kind, text in _DOCUMENTS.items():
        body: dict[str, object] = {"text": text}
        if kind == "communication_plan":
            body["plan"] = {"exercises": True}
        if kind == "house_rules":
            body["in_force_from"] = _SIGNED_ON.isoformat()
        roles.police.post(f"/v1/networks/{own}/documents/{kind}", body)
    roles.police.post(f"/v1/networks/{own}/activate")


def _coordinators(network: DemoNetwork) -> Iterator[dict[str, object]]:
    """Give a network's coordinators; coordinator 1, whom the ready-made token is for, is in all."""
    own = NETWORKS.index(network) + 1
    for number in sorted({1, own}):
        yield {
            "role": "coordinator" if number == own else "co_coordinator",
            "subject": f"coordinator-{number}",
            "name": f"Coördinator {number}",
            "email": f"coordinator-{number}@bewoners.example",
            "language": network.languages[0],
            "adult": True,
            "agrees_to_screening": True,
        }


def _everybody(coordinator: Api) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        joined = [pool.submit(_join, coordinator, person) for person in people()]
        for one in joined:
            one.result()


def _join(coordinator: Api, person: Person) -> None:
    for slug in person.networks:
        members = f"/v1/networks/{network_id(slug)}/members"
        member = coordinator.post(
            members,
            {
                "name": person.name,
                "kind": person.kind,
                "tie": "works" if person.kind == "self_employed" else "lives",
                "language": person.language,
                "phone": person.phone,
                "email": person.email,
                "adult": True,
                "accepted_on_paper": {
                    "signed_on": _SIGNED_ON.isoformat(),
                    "witness": "Coördinator 1",
                },
            },
        )
        if person.leaves:
            coordinator.post(f"{members}/{member['member_id']}/leave")
