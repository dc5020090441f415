"""Every operation of the registry as a table, and what a member is expected to become by each."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from shared import signatures
from tests.integration.registry.harness import (
    LEGAL,
    TEXT,
    As,
    Json,
    Registry,
    coordinator_input,
    member_input,
)

N, Z = "/networks/{network}", "/zones/{zone}"
M, B, C = f"{N}/members/{{member}}", f"{N}/bulletins/{{bulletin}}", f"{N}/coordinators"

Who = Literal[
    "coordinator", "police", "second_police", "officer", "admin", "municipality", "public"
]
State = Literal["pending", "active", "suspended", "left", "erased"]


@dataclass
class Person:
    """A member as the model expects them."""

    state: State
    created_at: datetime
    cold_mail: bool = True
    restricted: bool = False
    suspended_until: datetime | None = None
    left_at: datetime | None = None

    def facts(self) -> tuple[object, ...]:
        """Give what is compared with the row."""
        return (self.state, self.cold_mail, self.restricted, self.suspended_until, self.left_at)


@dataclass
class Tenant:
    """A zone with everybody who acts in it. `mark` stands in everything that is written there."""

    mark: str
    nis: str
    first_number: int
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    links: dict[str, str] = field(default_factory=dict[str, str])
    """The two link tokens of each member, as `accept:ID` and `stop:ID`."""

    alerts: list[str] = field(default_factory=list[str])
    """Alerts that were heard of, the latest last."""

    count: int = 0

    @property
    def zone(self) -> str:
        """Give the zone's id."""
        return f"zone-{self.mark}"

    @property
    def network(self) -> str:
        """Give the id of the network that always works."""
        return f"bin-{self.mark}"

    def as_(self, registry: Registry, who: Who) -> As:
        """Call as one of its people."""
        if who == "public":
            return As(registry.http, {})
        if who == "coordinator":
            return registry.coordinator(f"coordinator-{self.mark}")
        if who == "municipality":
            return registry.as_(f"town-{self.mark}", "municipality", municipality=self.nis)
        if who == "admin":
            return registry.as_(f"admin-{self.mark}", "admin", zone=self.zone)
        if who == "officer":
            return registry.police(self.zone, f"police-1-{self.zone}")  # whom the harness appoints
        return registry.police(self.zone, f"{who}-{self.mark}")

    def next(self) -> int:
        """Give a number that nothing here has had yet."""
        self.count += 1
        return self.first_number + self.count

    def newcomer(self, **more: Any) -> Json:
        """Give somebody new."""
        number = self.next()
        return {**member_input(number, **more), "name": f"Lid {self.mark} {number}"}


@dataclass(frozen=True)
class Call:
    """A request, its target chosen."""

    method: str
    path: str
    rest: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Target:
    """What an operation is done to: ids of a tenant, which need not be the caller's own."""

    tenant: Tenant
    network: str
    member: str
    bulletin: str
    meeting: str
    coordinator: str
    key: str
    alert: str
    rules: int
    """The version of the current house rules."""

    version: int
    """Of the member, the network, the zone or the meeting: what `If-Match` names."""

    network_version: int = 1


@dataclass(frozen=True)
class Operation:
    """Something that one may ask for over HTTP."""

    name: str
    who: Who
    call: Callable[[Registry, Tenant, Target], Call]
    on: Literal["zone", "network", "member", "bulletin", "meeting", "coordinator"] = "network"


def _why(tenant: Tenant) -> Json:
    return {"reason": f"Reden {tenant.mark}."}


def _texts(tenant: Tenant) -> Json:
    return {"subject": {"nl": f"Onderwerp {tenant.mark}"}, "body": {"nl": f"Tekst {tenant.mark}."}}


def _later(registry: Registry, **duration: float) -> str:
    return (registry.time.now + timedelta(**duration)).isoformat()


def _match(target: Target) -> dict[str, str]:
    return {"If-Match": f'"{target.version}"'}


def _paper(registry: Registry, tenant: Tenant) -> Json:
    return {
        "signed_on": registry.time.now.date().isoformat(),
        "witness": f"Getuige {tenant.mark}",
    }


def _on_member(name: str, body: Callable[[Registry, Tenant], Json]) -> Operation:
    def call(registry: Registry, tenant: Tenant, target: Target) -> Call:
        path = f"/networks/{target.network}/members/{target.member}/{name}"
        return Call("POST", path, {"json": body(registry, tenant)})

    return Operation(name, "coordinator", call, on="member")


def _on_meeting(name: str, body: Callable[[Registry, Tenant], Json]) -> Operation:
    path = f"{N}/meetings/{{meeting}}"
    return _post(name, "coordinator", path, body, on="meeting", method="PATCH", matched=True)


def _read(name: str, who: Who, path: str, on: Any = "network") -> Operation:
    def call(_registry: Registry, _tenant: Tenant, target: Target) -> Call:
        filled = path.format(zone=target.tenant.zone, **vars(target))
        return Call("GET", filled)

    return Operation(name, who, call, on=on)


def _post(
    name: str,
    who: Who,
    path: str,
    body: Callable[[Registry, Tenant], Json] = lambda _registry, _tenant: {},
    *,
    on: Any = "network",
    method: str = "POST",
    matched: bool = False,
) -> Operation:
    def call(registry: Registry, tenant: Tenant, target: Target) -> Call:
        filled = path.format(zone=target.tenant.zone, **vars(target))
        rest: dict[str, Any] = {"json": body(registry, tenant)}
        if matched:
            rest["headers"] = _match(target)
        return Call(method, filled, rest)

    return Operation(name, who, call, on=on)


def _list_of_two(_registry: Registry, tenant: Tenant, target: Target) -> Call:
    lines = ["Naam;GSM;E-mail"]
    for _ in range(2):
        person = tenant.newcomer()
        lines.append(f"{person['name']};{person['phone']};{person['email']}")
    content = "\n".join(lines).encode()
    return Call("POST", f"/networks/{target.network}/members/import", {"content": content})


def _dry_run(registry: Registry, tenant: Tenant, target: Target) -> Call:
    call = _list_of_two(registry, tenant, target)
    return Call(call.method, f"{call.path}?dry_run=true", call.rest)


def _same_number_twice(_registry: Registry, tenant: Tenant, target: Target) -> Call:
    phone = tenant.newcomer()["phone"]
    content = f"Naam;GSM\nLid {tenant.mark} x;{phone}\nLid {tenant.mark} y;{phone}".encode()
    return Call("POST", f"/networks/{target.network}/members/import", {"content": content})


def _enrol(registry: Registry, tenant: Tenant, target: Target) -> Call:
    kid = f"key-{tenant.mark}-{tenant.next()}"
    key = signatures.new_key(kid).as_dict(private=False)
    body = {
        "jwk": {name: value for name, value in key.items() if isinstance(value, str)},
        "officer_id": "officer-1",
        "nbf": registry.time.now.isoformat(),
        "exp": _later(registry, days=900),
    }
    return Call("PUT", f"/zones/{target.tenant.zone}/keys/{kid}", {"json": body})


def _network(_registry: Registry, tenant: Tenant) -> Json:
    return {
        "zone_id": tenant.zone,
        "name": f"BIN {tenant.mark} {tenant.next()}",
        "municipality": tenant.nis,
        "kind": "self_employed",
        "languages": ["nl"],
        "sender_name": "BIN",
    }


def _meeting(registry: Registry, tenant: Tenant) -> Json:
    return {
        **_texts(tenant),
        "place": f"Zaal {tenant.mark}",
        "starts_at": _later(registry, days=2),
        "ends_at": _later(registry, days=2, hours=2),
    }


def _coordinator(_registry: Registry, tenant: Tenant) -> Json:
    person = coordinator_input(f"extra-{tenant.mark}-{tenant.next()}")
    return {**person, "name": f"Coord {tenant.mark}", "role": "co_coordinator"}


def _deputy(registry: Registry, tenant: Tenant) -> Json:
    person = coordinator_input(f"extra-{tenant.mark}-{tenant.next()}")
    period = {"since": _later(registry, hours=1), "until": _later(registry, days=3)}
    return {**person, **period, "name": f"Plaatsvervanger {tenant.mark}"}


def _steering(_registry: Registry, _tenant: Tenant, target: Target) -> Call:
    path = f"/networks/{target.network}/steering-group"
    match = {"If-Match": f'"{target.network_version}"'}
    return Call("PUT", path, {"json": {"member_ids": [target.member]}, "headers": match})


def _add(registry: Registry, tenant: Tenant, target: Target) -> Call:
    new = tenant.newcomer(accepted_on_paper=_paper(registry, tenant))
    return Call("POST", f"/networks/{target.network}/members", {"json": new})


def _invite(_registry: Registry, tenant: Tenant, target: Target) -> Call:
    return Call("POST", f"/networks/{target.network}/members", {"json": tenant.newcomer()})


def _edit(_registry: Registry, tenant: Tenant, target: Target) -> Call:
    path = f"/networks/{target.network}/members/{target.member}"
    change = {"language": "fr", "phone": tenant.newcomer()["phone"], "cold_mail": True}
    return Call("PATCH", path, {"json": change, "headers": _match(target)})


def _by_link(name: str, link: str, data: Mapping[str, str]) -> Operation:
    def call(_registry: Registry, tenant: Tenant, target: Target) -> Call:
        page = {"accept": "accept", "stop": "unsubscribe"}[link]
        token = tenant.links.get(f"{link}:{target.member}", "0" * 64)
        form = {name: value.format(rules=target.rules) for name, value in data.items()}
        return Call("POST", f"/{page}/{token}", {"data": form})

    return Operation(name, "public", call, on="member")


OPERATIONS: tuple[Operation, ...] = (
    Operation("add", "coordinator", _add),
    Operation("invite", "coordinator", _invite),
    Operation("edit", "coordinator", _edit, on="member"),
    Operation("import", "coordinator", _list_of_two),
    Operation("dry_run", "coordinator", _dry_run),
    Operation("import_twice", "coordinator", _same_number_twice),
    _on_member("accept", lambda registry, tenant: {**_paper(registry, tenant), "adult": True}),
    _on_member("leave", lambda _registry, _tenant: {}),
    _on_member("reprimand", lambda _registry, tenant: _why(tenant)),
    _on_member(
        "suspend", lambda registry, tenant: {**_why(tenant), "until": _later(registry, days=1)}
    ),
    _on_member("reinstate", lambda _registry, tenant: _why(tenant)),
    _on_member("exclude", lambda _registry, tenant: _why(tenant)),
    _on_member(
        "restrict",
        lambda registry, tenant: {
            **_why(tenant),
            "restricted": True,
            "ground": "objection",
            "asked_on": registry.time.now.date().isoformat(),
        },
    ),
    Operation(
        "lift",
        "coordinator",
        lambda registry, tenant, target: Call(
            "POST",
            f"/networks/{target.network}/members/{target.member}/restrict",
            {
                "json": {
                    **_why(tenant),
                    "restricted": False,
                    "informed_on": registry.time.now.date().isoformat(),
                }
            },
        ),
        on="member",
    ),
    _on_member("erase", lambda _registry, tenant: _why(tenant)),
    _by_link("accept_by_link", "accept", {"version": "{rules}", "adult": "yes"}),
    _by_link("one_click", "stop", {"List-Unsubscribe": "One-Click"}),
    _by_link("leave_by_link", "stop", {"action": "leave"}),
    Operation("steer", "coordinator", _steering, on="member"),
    _read("list", "coordinator", f"{N}/members"),
    _post(
        "search",
        "coordinator",
        f"{N}/members/search",
        lambda _registry, tenant: {"text": tenant.mark[:4]},
    ),
    _read("show", "coordinator", M, on="member"),
    _read("record", "coordinator", f"{M}/record", on="member"),
    _read("export", "coordinator", f"{N}/members/export"),
    _read("steering", "coordinator", f"{N}/steering-group"),
    _post("write", "coordinator", f"{N}/bulletins", lambda _registry, tenant: _texts(tenant)),
    _post("suggest", "municipality", f"{N}/bulletins", lambda _registry, tenant: _texts(tenant)),
    _post("adopt", "officer", f"{B}/adopt", lambda _r, tenant: _texts(tenant), on="bulletin"),
    _post("decline", "police", f"{B}/decline", lambda _r, tenant: _why(tenant), on="bulletin"),
    _post("release", "coordinator", f"{B}/release", on="bulletin"),
    _post("return", "coordinator", f"{B}/return", lambda _r, t: _why(t), on="bulletin"),
    _post("withdraw", "police", f"{B}/withdraw", lambda _r, t: _why(t), on="bulletin"),
    _read("bulletins", "municipality", f"{N}/bulletins"),
    _read("bulletin", "coordinator", B, on="bulletin"),
    _read("zone_bulletins", "police", f"{Z}/bulletins", on="zone"),
    _post("call_meeting", "coordinator", f"{N}/meetings", _meeting),
    _on_meeting(
        "move_meeting",
        lambda registry, tenant: {
            "place": f"Plein {tenant.mark}",
            "starts_at": _later(registry, days=3),
            "ends_at": _later(registry, days=3, hours=2),
        },
    ),
    _on_meeting("cancel_meeting", lambda _registry, _tenant: {"cancelled": True}),
    _post(
        "report_meeting",
        "coordinator",
        f"{N}/meetings/{{meeting}}",
        lambda _registry, tenant: {"attendance": 4, "minutes": f"Verslag {tenant.mark}"},
        on="meeting",
        method="PATCH",
        matched=True,
    ),
    _read("meetings", "police", f"{N}/meetings"),
    _post("found", "police", "/networks", _network, on="zone"),
    _post(
        "rename",
        "police",
        N,
        lambda _registry, tenant: {"name": f"BIN {tenant.mark} {tenant.next()}"},
        method="PATCH",
        matched=True,
    ),
    _post("activate", "police", f"{N}/activate"),
    _post("suspend_network", "police", f"{N}/suspend", lambda _registry, tenant: _why(tenant)),
    _post("dissolve", "police", f"{N}/dissolve", lambda _registry, tenant: _why(tenant)),
    _post("rules", "police", f"{N}/documents/charter", lambda _registry, _tenant: {"text": TEXT}),
    _post("new_rules", "coordinator", f"{N}/documents/house_rules", lambda _r, _t: {"text": TEXT}),
    _post(
        "new_plan",
        "coordinator",
        f"{N}/documents/communication_plan",
        lambda _registry, _tenant: {"text": TEXT, "plan": {"exercises": True}},
    ),
    _read("document", "coordinator", f"{N}/documents/house_rules"),
    _post("coordinate", "police", C, _coordinator),
    _post(
        "screen",
        "police",
        f"{C}/{{coordinator}}/screen",
        lambda _registry, _tenant: {"outcome": "passed"},
        on="coordinator",
    ),
    _post("deputise", "coordinator", f"{C}/{{coordinator}}/deputise", _deputy, on="coordinator"),
    _post(
        "remove",
        "police",
        f"{C}/{{coordinator}}/remove",
        lambda _registry, tenant: _why(tenant),
        on="coordinator",
    ),
    _read("coordinators", "police", C),
    _read("networks", "coordinator", "/networks"),
    _read("network", "police", N),
    _read("evaluation", "police", f"{N}/evaluation?year=2026"),
    _read("figures", "police", "/figures?year=2026", on="zone"),
    _read("zones", "police", "/zones", on="zone"),
    _read("officers", "police", f"{Z}/officers", on="zone"),
    _read("keys", "police", f"{Z}/keys", on="zone"),
    _read("feedback_due", "police", f"{Z}/feedback-due", on="zone"),
    _post(
        "waive",
        "police",
        f"{Z}/feedback-due/{{alert}}/waive",
        lambda _registry, tenant: _why(tenant),
        on="zone",
    ),
    _post(
        "edit_zone",
        "admin",
        Z,
        lambda _registry, tenant: {"name": f"Zone {tenant.mark} {tenant.next()}"},
        on="zone",
        method="PATCH",
        matched=True,
    ),
    _post(
        "appoint",
        "admin",
        f"{Z}/officers",
        lambda _registry, tenant: {
            "officer_id": f"officer-{tenant.next()}",
            "subject": f"agent-{tenant.mark}-{tenant.next()}",
            "name": f"Agent {tenant.mark}",
            "language": "nl",
        },
        on="zone",
    ),
    Operation("enrol", "admin", _enrol, on="zone"),
    _post("confirm", "second_police", f"{Z}/keys/{{key}}/confirm", on="zone"),
    _post("revoke", "police", f"{Z}/keys/{{key}}", on="zone", method="DELETE"),
)

SAFE_LISTS = {"networks", "zones", "figures", "found"}
"""What names no zone or network in its path: there is nothing of another zone to ask for."""

ZONE: Json = {"legal_basis": LEGAL}


def nobody() -> str:
    """Give an id that nothing has."""
    return str(uuid.uuid4())


def expect(name: str, person: Person, now: datetime) -> int:
    """Give the status that an operation on a member answers with, and change the model.

    Written from the rules of the circular and the GDPR, and not from the code.
    """
    state = person.state
    if state == "erased":
        return 200 if name == "erase" else 404
    if state == "left" and name not in _FOR_ALL:
        return 409
    is_the_same = person.suspended_until == now + timedelta(days=1)
    if name == "suspend" and state != "active" and not (state == "suspended" and is_the_same):
        return 409
    _become(name, person, now)
    return 200


_FOR_ALL = {"leave", "exclude", "erase", "one_click", "leave_by_link"}
"""What may be asked for again, or after leaving."""


def _become(name: str, person: Person, now: datetime) -> None:
    state = person.state
    if name in {"accept", "accept_by_link"} and state == "pending":
        person.state = "active"
    elif name in {"leave", "exclude", "leave_by_link"} and state != "left":
        person.state, person.left_at = "left", now
        if name == "exclude":
            person.suspended_until = None
    elif name == "suspend":
        person.state, person.suspended_until = "suspended", now + timedelta(days=1)
    elif name == "reinstate" and state == "suspended":
        person.state, person.suspended_until = "active", None
    elif name in {"restrict", "lift"}:
        person.restricted = name == "restrict"
    elif name == "one_click" and state != "left":
        person.cold_mail = False
    elif name == "edit":
        person.cold_mail = True
    elif name == "erase":
        person.state = "erased"


def pass_time(person: Person, now: datetime) -> None:
    """Change the model by what time alone does: a suspension ends, and what is kept too long."""
    over = person.state == "suspended" and person.suspended_until is not None
    if over and person.suspended_until is not None and person.suspended_until <= now:
        person.state, person.suspended_until = "active", None
    left = person.state == "left" and person.left_at is not None
    if left and person.left_at is not None and person.left_at + timedelta(days=90) <= now:
        person.state = "erased"
    if person.state == "pending" and person.created_at + timedelta(days=60) <= now:
        person.state = "erased"
