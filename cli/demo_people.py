"""The demo's zone: three networks and 120 invented people, the same at every run.

The numbers are Belgian mobiles that nobody can have: `phonenumbers` takes +32 450 xx xx xx for a
valid mobile, and its carrier table (from the regulator's list) names no operator for 0450, so no
SIM was ever issued there. A unit test holds that against the library. Addresses end in `.example`,
which RFC 2606 reserves. Names are common first names with invented family names.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.contracts.base import Language
from shared.contracts.registry import MemberKind, NetworkKind

ZONE = "demo"
ZONE_NAME = "Politiezone Demo"
MUNICIPALITY = "44021"
NUMBER_PREFIX = "+32450"
PEOPLE = 120

_FIRST: dict[Language, tuple[str, ...]] = {
    "nl": ("An", "Bram", "Els", "Femke", "Joris", "Katrijn", "Lotte", "Maarten", "Pieter", "Wout"),
    "fr": ("Amélie", "Benoît", "Chloé", "Damien", "Élise", "Fabien", "Léa", "Mathieu", "Zoé"),
}
_FAMILY: dict[Language, tuple[str, ...]] = {
    "nl": ("Van Lindeveld", "Molenwiel", "Vanderbraak", "Wilgehout", "Duinzicht", "Torenmaker"),
    "fr": ("Delavigneraie", "Boischantant", "Clairmoulin", "Montfleury", "Ruissel", "Valdoré"),
}


@dataclass(frozen=True, slots=True)
class DemoNetwork:
    """A network of the demo."""

    name: str
    slug: str
    kind: NetworkKind
    languages: tuple[Language, ...]
    sender_name: str
    streets: tuple[str, ...]
    first: int
    """The numbers of its people: from `first` up to, not including, `end`."""

    end: int


NETWORKS = (
    DemoNetwork(
        "BIN Lindeveld",
        "lindeveld",
        "residents",
        ("nl", "fr"),
        "BIN Linde",
        ("Lindeveldstraat", "Wilgenhof", "Oude Dreef"),
        0,
        50,
    ),
    DemoNetwork(
        "BIN Molenwijk",
        "molenwijk",
        "residents",
        ("nl",),
        "BIN Molen",
        ("Molenstraat", "Wiekenplein"),
        50,
        90,
    ),
    DemoNetwork(
        "BIN-Z Stationskwartier",
        "station",
        "self_employed",
        ("fr", "nl"),
        "BINZ Gare",
        ("Stationsplein", "Spoorlaan"),
        90,
        PEOPLE,
    ),
)


@dataclass(frozen=True, slots=True)
class Person:
    """An invented member. `number` counts from 0."""

    number: int
    name: str
    language: Language
    kind: MemberKind
    networks: tuple[str, ...]
    """Slugs: most are in one network, some in two."""

    has_mobile: bool
    leaves: bool

    @property
    def phone(self) -> str | None:
        """Give the mobile number as E.164, or None."""
        return f"{NUMBER_PREFIX}{100 + self.number:06d}" if self.has_mobile else None

    @property
    def email(self) -> str:
        """Give the address."""
        return f"lid{self.number:03d}@bewoners.example"

    @property
    def gets_sms(self) -> bool:
        """Tell whether an alert to all networks reaches them by SMS."""
        return self.has_mobile and not self.leaves


def people() -> Iterator[Person]:
    """Give everybody. Every 12th is in a second network too; some have no mobile; some left."""
    for number in range(PEOPLE):
        home = next(n for n in NETWORKS if n.first <= number < n.end)
        language = _language(number, home)
        yield Person(
            number=number,
            name=_name(number, language),
            language=language,
            kind="self_employed" if home.kind == "self_employed" else "resident",
            networks=(home.slug, *_second(number, home)),
            has_mobile=number % 15 != 11,  # noqa: PLR2004 - eight have none
            leaves=number % 20 == 7,  # noqa: PLR2004 - six of them
        )


def audience() -> list[Person]:
    """Give whom an alert to all three networks reaches by SMS, each once."""
    return [person for person in people() if person.gets_sms]


def _language(number: int, home: DemoNetwork) -> Language:
    if home.languages[0] == "fr":
        return "nl" if number % 4 == 0 else "fr"
    return "fr" if number % 5 == 0 else "nl"


def _name(number: int, language: Language) -> str:
    first, family = _FIRST[language], _FAMILY[language]
    return f"{first[number % len(first)]} {family[number // 2 % len(family)]}"


def _second(number: int, home: DemoNetwork) -> tuple[str, ...]:
    if number % 12 != 0:
        return ()
    position = NETWORKS.index(home)
    return (NETWORKS[(position + 1) % len(NETWORKS)].slug,)
