"""A neighbourhood information network, its states and what it needs to become active.

Sources: ministerial circular of 28 February 2019 on neighbourhood information networks, and the
role profiles in its annexes.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from services.registry.domain.aggregate import Aggregate
from services.registry.domain.area import Area
from services.registry.domain.coordinator import Coordinator, Removal, Screening
from services.registry.domain.documents import DocumentVersion, Plan
from services.registry.domain.failures import Conflict, Invalid, NotThere
from services.registry.domain.zone import Officer
from shared.contracts.base import Id, Language, UtcTime, ZoneId
from shared.contracts.registry import Contact, DocumentKind, Network, NetworkKind, NetworkState

TOLD_OF_END = timedelta(days=14)
"""How long the notice that a network is dissolved may be on its way to who was in charge."""

_PROVINCES = {
    "1": "Antwerpen",
    "23": "Vlaams-Brabant",
    "24": "Vlaams-Brabant",
    "25": "Brabant wallon",
    "21": "Brussels Hoofdstedelijk Gewest / Région de Bruxelles-Capitale",
    "3": "West-Vlaanderen",
    "4": "Oost-Vlaanderen",
    "5": "Hainaut",
    "6": "Liège",
    "7": "Limburg",
    "8": "Luxembourg",
    "9": "Namur",
}
"""By the first digits of the NIS code (Statbel)."""


def _known_municipality(code: str) -> str:
    if province(code) is None:
        message = "no municipality has this NIS code"
        raise ValueError(message)
    return code


def _has_a_letter(name: str) -> str:
    if not any(char.isalpha() for char in name):
        message = "a sender name has at least one letter"
        raise ValueError(message)
    return name


def _says_each_once(languages: tuple[Language, ...]) -> tuple[Language, ...]:
    if len(set(languages)) != len(languages):
        message = "a language is named twice"
        raise ValueError(message)
    return languages


NisCode = Annotated[
    str, StringConstraints(pattern=r"^[1-9]\d{4}$"), AfterValidator(_known_municipality)
]
SenderName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9 ]{1,11}$"), AfterValidator(_has_a_letter)
]
"""An alphanumeric SMS sender; Twilio wants at least one letter."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
Languages = Annotated[tuple[Language, ...], Field(min_length=1), AfterValidator(_says_each_once)]


def province(nis: str) -> str | None:
    """Give the province of a municipality by its NIS code; None for a code that names none."""
    return _PROVINCES.get(nis[:2]) or _PROVINCES.get(nis[:1])


class NetworkRecord(Aggregate):
    """A network (BIN, BIN-Z) as the registry keeps it."""

    network_id: Id
    zone_id: ZoneId
    name: Name
    municipality: NisCode
    kind: NetworkKind
    state: NetworkState = "draft"
    languages: Languages
    sender_name: SenderName
    area: Area | None = None
    officer: Officer | None = None
    documents: dict[DocumentKind, int] = {}
    """The current version of each document."""

    plan: Plan = Plan()
    """Of the current communication plan."""

    coordinators: tuple[Coordinator, ...] = ()
    steering_group: tuple[Id, ...] = ()
    """Members who help the coordinator, by their ids; it gives them no rights here."""

    created_at: UtcTime
    state_since: UtcTime
    state_reason: str | None = None

    def contacts(self, now: datetime) -> tuple[Contact, ...]:
        """Give the officer and everyone who is a coordinator, with whether they may act now.

        Nobody of a dissolved network, once they were told of its end.
        """
        if self._ended(now):
            return ()
        found = [c.contact(now) for c in self.coordinators if not c.has_ended(now)]
        if self.officer is not None:
            found.insert(0, _officer_contact(self.officer))
        return tuple(found)

    def _ended(self, now: datetime) -> bool:
        return self.state == "dissolved" and self.state_since + TOLD_OF_END <= now

    def active_coordinators(self, now: datetime) -> list[Coordinator]:
        """Give who may relay now, deputies included."""
        return [c for c in self.coordinators if c.is_active(now)]

    def own_coordinators(self, now: datetime) -> list[Coordinator]:
        """Give who may act now as coordinator or co-coordinator, deputies left out."""
        return [c for c in self.active_coordinators(now) if c.role != "deputy"]

    def active_deputies(self, now: datetime) -> list[Coordinator]:
        """Give who stands in for somebody now."""
        return [c for c in self.active_coordinators(now) if c.role == "deputy"]

    def coordinator(self, coordinator_id: str) -> Coordinator:
        """Find a coordinator. Raises `NotThere`."""
        found = next((c for c in self.coordinators if c.coordinator_id == coordinator_id), None)
        if found is None:
            raise NotThere
        return found

    def next_turn(self, now: datetime) -> datetime | None:
        """Give the next moment at which time alone changes who may act, or whom others know of."""
        if self.state == "dissolved":
            told = self.state_since + TOLD_OF_END
            return told if told > now else None
        turns = [turn for c in self.coordinators for turn in c.turns() if turn > now]
        return min(turns, default=None)

    def event(self, now: datetime) -> Network:
        """Give the network as the other services need it."""
        answers_to = [] if self._ended(now) else self.own_coordinators(now)
        return Network(
            network_id=self.network_id,
            version=self.version,
            zone_id=self.zone_id,
            name=self.name,
            municipality=self.municipality,
            kind=self.kind,
            state=self.state,
            languages=self.languages,
            sender_name=self.sender_name,
            exercises=self.plan.exercises,
            warm_fallback=self.plan.warm_fallback,
            quiet_hours=self.plan.quiet_hours,
            documents=self.documents,
            contacts=self.contacts(now),
            reply_to=answers_to[0].email if answers_to else None,
        )


def _officer_contact(officer: Officer) -> Contact:
    return Contact(
        contact_id=officer.officer_id,
        role="officer",
        subject=officer.subject,
        email=officer.email,
        language=officer.language,
        active=True,
    )


Missing = Literal[
    "officer", "coordinator", "charter", "house_rules", "communication_plan", "pseudonym_keys"
]

_WHAT_TO_DO: dict[Missing, str] = {
    "officer": "a mandated officer (set `officer_id`)",
    "coordinator": "an active coordinator who was screened by the police",
    "charter": "a charter",
    "house_rules": "house rules",
    "communication_plan": "a communication plan",
    "pseudonym_keys": "pseudonym keys for this year and the next "
    "(`buurtbode pseudonyms rotate --zone {zone_id}`)",
}


def missing(network: NetworkRecord, now: datetime, *, has_pseudonym_keys: bool) -> list[Missing]:
    """List everything that a network still lacks to become active, in a fixed order."""
    there: dict[Missing, bool] = {
        "officer": network.officer is not None,
        # a deputy stands in for somebody: there must be somebody
        "coordinator": bool(network.own_coordinators(now)),
        "charter": "charter" in network.documents,
        "house_rules": "house_rules" in network.documents,
        "communication_plan": "communication_plan" in network.documents,
        "pseudonym_keys": has_pseudonym_keys,
    }
    return [what for what, is_there in there.items() if not is_there]


def activate(network: NetworkRecord, now: datetime, *, has_pseudonym_keys: bool) -> NetworkRecord:
    """Make a draft or suspended network active; an active one stays as it is.

    Raises `Conflict` naming everything that is missing.
    """
    if network.state == "active":
        return network
    if network.state == "dissolved":
        raise _dissolved()
    lacking = missing(network, now, has_pseudonym_keys=has_pseudonym_keys)
    if lacking:
        needs = [_WHAT_TO_DO[what].format(zone_id=network.zone_id) for what in lacking]
        raise Conflict(
            "network-not-ready",
            f"The network cannot become active yet. It needs: {'; '.join(needs)}.",
            extra={"missing": lacking},
        )
    return network.changed(state="active", state_since=now, state_reason=None)


def suspend(network: NetworkRecord, reason: str, now: datetime) -> NetworkRecord:
    """Suspend an active network; a suspended one stays as it is. Raises `Conflict`."""
    if network.state == "suspended":
        return network
    if network.state == "dissolved":
        raise _dissolved()
    if network.state == "draft":
        raise Conflict(
            "network-not-active", "The network is not active, so there is nothing to suspend."
        )
    return network.changed(state="suspended", state_since=now, state_reason=reason)


def dissolve(network: NetworkRecord, reason: str, now: datetime) -> NetworkRecord:
    """End a network for good; a dissolved one stays as it is."""
    if network.state == "dissolved":
        return network
    return network.changed(state="dissolved", state_since=now, state_reason=reason)


def check_alive(network: NetworkRecord) -> None:
    """Raise `Conflict` for a dissolved network: it takes no changes."""
    if network.state == "dissolved":
        raise _dissolved()


def check_minded(network: NetworkRecord, officer: Officer | None) -> None:
    """Raise `Conflict` where an active network would lose its mandated officer."""
    if officer is None and network.state == "active":
        raise Conflict(
            "officer-needed",
            "An active network has a mandated officer: name another one instead.",
            field="officer_id",
        )


def _dissolved() -> Conflict:
    return Conflict(
        "network-dissolved", "The network is dissolved; nothing in it changes any more."
    )


def adopt_document(network: NetworkRecord, document: DocumentVersion) -> NetworkRecord:
    """Make a new version of a document the current one. Raises `Conflict`."""
    check_alive(network)
    documents = {**network.documents, document.kind: document.number}
    plan = network.plan if document.plan is None else document.plan
    return network.changed(documents=documents, plan=plan)


def add_coordinator(network: NetworkRecord, newcomer: Coordinator) -> NetworkRecord:
    """Add a coordinator, not yet screened. Raises `Conflict`."""
    check_alive(network)
    present = [c for c in network.coordinators if c.removal is None]
    if any(c.subject == newcomer.subject and c.role == newcomer.role for c in present):
        raise Conflict(
            "subject-taken", "This person already has this role in the network.", field="subject"
        )
    return network.changed(coordinators=(*network.coordinators, newcomer))


STEERING_MOST = 20


def set_steering_group(network: NetworkRecord, member_ids: tuple[str, ...]) -> NetworkRecord:
    """Name the steering group; the same again changes nothing. Raises `Conflict`.

    Membership gives no privileges, so being in it gives none either.
    """
    check_alive(network)
    wanted = tuple(dict.fromkeys(member_ids))
    if wanted == network.steering_group:
        return network
    return network.changed(steering_group=wanted)


def leave_steering_group(network: NetworkRecord, member_id: str) -> NetworkRecord:
    """Take somebody out who left the network; whoever is not in it changes nothing."""
    if member_id not in network.steering_group:
        return network
    left = tuple(other for other in network.steering_group if other != member_id)
    return network.changed(steering_group=left)


def screen(network: NetworkRecord, coordinator_id: str, screening: Screening) -> NetworkRecord:
    """Record the police's screening of a coordinator. Raises `NotThere` or `Conflict`."""
    person = network.coordinator(coordinator_id)
    if person.removal is not None:
        raise Conflict("coordinator-removed", "This person is no coordinator any more.")
    if person.subject == screening.by:
        raise Conflict("own-screening", "Nobody screens themselves: another police user does it.")
    return _with(network, person.model_copy(update={"screening": screening}))


def deputise(network: NetworkRecord, deputy: Coordinator, now: datetime) -> NetworkRecord:
    """Let a deputy stand in for a coordinator during a period. Raises `NotThere`, `Invalid`."""
    person = network.coordinator(deputy.stands_in_for or "")
    if person.removal is not None or person.role == "deputy":
        raise Conflict("no-coordinator", "Only a coordinator of the network has a deputy.")
    if deputy.since is None or deputy.until is None or deputy.since >= deputy.until:
        raise Invalid("no-period", "`until` must be later than `since`.", field="until")
    if deputy.until <= now:
        raise Invalid("period-over", "This period is over; choose a later end.", field="until")
    if deputy.subject == person.subject:
        raise Invalid("own-deputy", "Nobody is their own deputy.", field="subject")
    return add_coordinator(network, deputy)


def remove(network: NetworkRecord, coordinator_id: str, removal: Removal) -> NetworkRecord:
    """End somebody's coordinating, with the reason; whoever deputises for them ends too."""
    person = network.coordinator(coordinator_id)
    if person.removal is not None:
        return network
    removed = {person.coordinator_id, *_deputies_of(network.coordinators, person)}
    return network.changed(
        coordinators=tuple(
            c.model_copy(update={"removal": removal})
            if c.coordinator_id in removed and c.removal is None
            else c
            for c in network.coordinators
        )
    )


def forget_people(
    network: NetworkRecord, oldest_end: datetime, dissolved_before: datetime
) -> NetworkRecord:
    """Forget whose coordinating ended by `oldest_end` (GDPR, article 5(1)(e)).

    Of a network that was dissolved by `dissolved_before`, everybody.
    """
    if network.state == "dissolved" and network.state_since <= dissolved_before:
        if not network.coordinators and network.officer is None and not network.steering_group:
            return network
        return network.changed(coordinators=(), officer=None, steering_group=())
    kept = tuple(c for c in network.coordinators if not c.has_ended(oldest_end))
    return network if kept == network.coordinators else network.changed(coordinators=kept)


def _deputies_of(coordinators: Iterable[Coordinator], person: Coordinator) -> list[str]:
    return [c.coordinator_id for c in coordinators if c.stands_in_for == person.coordinator_id]


def _with(network: NetworkRecord, person: Coordinator) -> NetworkRecord:
    return network.changed(
        coordinators=tuple(
            person if c.coordinator_id == person.coordinator_id else c for c in network.coordinators
        )
    )
