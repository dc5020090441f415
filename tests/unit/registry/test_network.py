"""The rules of networks (ministerial circular of 28 February 2019, and its role profiles)."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.registry.domain import network as rules
from services.registry.domain.coordinator import Removal, Screening
from services.registry.domain.failures import Conflict, Invalid
from services.registry.domain.network import Missing, NetworkRecord
from shared.contracts.registry import DocumentKind
from tests.unit.registry.people import NOW, OFFICER, coordinator, network

PARTS: tuple[Missing, ...] = (
    "officer",
    "coordinator",
    "charter",
    "house_rules",
    "communication_plan",
)
DOCUMENTS: tuple[DocumentKind, ...] = ("charter", "house_rules", "communication_plan")


def with_parts(parts: set[Missing]) -> NetworkRecord:
    return network().model_copy(
        update={
            "officer": OFFICER if "officer" in parts else None,
            "coordinators": (coordinator(screened="coordinator" in parts),),
            "documents": {kind: 1 for kind in DOCUMENTS if kind in parts},
        }
    )


@given(st.sets(st.sampled_from(PARTS)), st.booleans())
def test_activation_names_exactly_what_is_missing(parts: set[Missing], keys: bool) -> None:  # noqa: FBT001
    """It becomes active only when officer, screened coordinator and documents are there."""
    draft = with_parts(parts)
    expected = [part for part in PARTS if part not in parts]
    if not keys:
        expected.append("pseudonym_keys")

    if not expected:
        assert rules.activate(draft, NOW, has_pseudonym_keys=keys).state == "active"
        return
    with pytest.raises(Conflict) as refused:
        rules.activate(draft, NOW, has_pseudonym_keys=keys)
    assert refused.value.extra["missing"] == expected
    assert refused.value.detail.count(";") == len(expected) - 1


def test_a_deputy_alone_is_no_coordinator() -> None:
    deputy = coordinator().model_copy(
        update={"role": "deputy", "since": NOW, "until": NOW + timedelta(days=1)}
    )
    draft = with_parts(set(PARTS)).model_copy(update={"coordinators": (deputy,)})

    assert rules.missing(draft, NOW, has_pseudonym_keys=True) == ["coordinator"]


@given(st.lists(st.sampled_from(["activate", "suspend", "dissolve"]), max_size=12))
def test_states_follow_their_order_and_versions_grow(steps: list[str]) -> None:
    """The states: draft, active, suspended and back; dissolved is the end."""
    legal = {
        ("draft", "active"),
        ("draft", "dissolved"),
        ("active", "suspended"),
        ("active", "dissolved"),
        ("suspended", "active"),
        ("suspended", "dissolved"),
    }
    current = with_parts(set(PARTS))
    seen = [current]
    for step in steps:
        try:
            if step == "activate":
                current = rules.activate(current, NOW, has_pseudonym_keys=True)
            elif step == "suspend":
                current = rules.suspend(current, "reden", NOW)
            else:
                current = rules.dissolve(current, "reden", NOW)
        except Conflict:
            continue
        if current is not seen[-1]:
            seen.append(current)
    for before, after in pairwise(seen):
        assert (before.state, after.state) in legal
        assert after.version == before.version + 1


def test_nobody_screens_themselves() -> None:
    waiting = network().model_copy(update={"coordinators": (coordinator(screened=False),)})

    with pytest.raises(Conflict):
        rules.screen(waiting, "c-1", Screening(by="coordinator-1", at=NOW, passed=True))


def test_removing_a_coordinator_ends_their_deputies_and_keeps_the_reason() -> None:
    """Removal keeps a reason; three weeks to appeal are shown."""
    full = network().model_copy(update={"coordinators": (coordinator(),)})
    deputy = coordinator("c-2", "deputy-1").model_copy(
        update={
            "role": "deputy",
            "stands_in_for": "c-1",
            "since": NOW,
            "until": NOW + timedelta(days=9),
        }
    )
    full = rules.deputise(full, deputy, NOW)
    assert len(full.active_coordinators(NOW)) == 2

    after = rules.remove(full, "c-1", Removal(at=NOW, by="police-1", reason="verhuisd"))

    assert after.active_coordinators(NOW) == []
    removal = after.coordinator("c-1").removal
    assert removal is not None
    assert removal.appeal_until - NOW == timedelta(weeks=3)
    assert after.contacts(NOW) == ()


@pytest.mark.parametrize("days", [(2, 1), (-3, -1), (1, 1)])
def test_a_deputy_needs_a_period_that_lies_ahead(days: tuple[int, int]) -> None:
    full = network().model_copy(update={"coordinators": (coordinator(),)})
    since, until = (NOW + timedelta(days=day) for day in days)
    deputy = coordinator("c-2", "deputy-1").model_copy(
        update={"role": "deputy", "stands_in_for": "c-1", "since": since, "until": until}
    )

    with pytest.raises(Invalid) as refused:
        rules.deputise(full, deputy, NOW)
    assert refused.value.field == "until"


def test_time_alone_turns_a_deputy_on_and_off() -> None:
    deputy = coordinator().model_copy(
        update={"since": NOW + timedelta(days=1), "until": NOW + timedelta(days=2)}
    )
    full = network().model_copy(update={"coordinators": (deputy,)})

    assert full.next_turn(NOW) == NOW + timedelta(days=1)
    assert full.next_turn(NOW + timedelta(days=1)) == NOW + timedelta(days=2)
    assert full.next_turn(NOW + timedelta(days=2)) is None
    active = [bool(full.active_coordinators(NOW + timedelta(days=day))) for day in range(3)]
    assert active == [False, True, False]


@pytest.mark.parametrize(
    ("nis", "province"),
    [("11002", "Antwerpen"), ("44021", "Oost-Vlaanderen"), ("62063", "Liège"), ("22000", None)],
)
def test_the_province_follows_from_the_municipality(nis: str, province: str | None) -> None:
    assert rules.province(nis) == province


def test_an_area_is_closed_and_on_earth() -> None:
    area: TypeAdapter[object] = TypeAdapter(rules.Area)
    ring = [[3.7, 51.0], [3.8, 51.0], [3.8, 51.1], [3.7, 51.0]]
    area.validate_python({"type": "Polygon", "coordinates": [ring]})
    area.validate_python({"type": "streets", "streets": ["Lindelaan"]})
    for bad in ([ring[:-1]], [[[*ring[0]], [200, 0], [3.8, 51.1], ring[0]]]):
        with pytest.raises(ValidationError):
            area.validate_python({"type": "Polygon", "coordinates": bad})
