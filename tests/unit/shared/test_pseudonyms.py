"""The key ring: one key per zone and year, written by one command, destroyed for good."""

import stat
from datetime import date
from pathlib import Path

import pytest

from shared.pseudonyms import KeyRing, NoPseudonymKey, destroy, rotate


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "pseudonyms.json"


def test_without_a_key_there_is_no_pseudonym(path: Path) -> None:
    with pytest.raises(NoPseudonymKey):
        KeyRing(path).pseudonym("demo", 2026, "x")


def test_a_ring_in_use_sees_a_key_that_was_made_later(path: Path) -> None:
    ring = KeyRing(path)
    assert not ring.has("demo", 2026)
    assert rotate(path, ["demo"], 2026) == [("demo", 2026), ("demo", 2027)]
    assert ring.has("demo", 2026)
    assert ring.years("demo") == [2026, 2027]


def test_rotating_again_keeps_what_is_there(path: Path) -> None:
    rotate(path, ["demo"], 2026)
    before = KeyRing(path).pseudonym("demo", 2027, "x")
    assert rotate(path, ["demo"], 2027) == [("demo", 2028)]
    assert KeyRing(path).pseudonym("demo", 2027, "x") == before


def test_pseudonyms_differ_by_zone_year_and_value_and_repeat_otherwise(path: Path) -> None:
    rotate(path, ["demo", "other"], 2026)
    ring = KeyRing(path)
    cases = [(z, y, v) for z in ("demo", "other") for y in (2026, 2027) for v in ("a", "b")]
    found = {ring.pseudonym(*case) for case in cases}
    assert len(found) == len(cases)
    assert found == {KeyRing(path).pseudonym(*case) for case in cases}


def test_a_destroyed_key_is_gone_and_the_others_stay(path: Path) -> None:
    rotate(path, ["demo"], 2026)
    destroy(path, "demo", 2026)
    assert KeyRing(path).years("demo") == [2027]
    with pytest.raises(NoPseudonymKey):
        destroy(path, "demo", 2026)


def test_a_key_that_is_destroyed_is_gone_for_a_ring_in_use(path: Path) -> None:
    rotate(path, ["demo"], 2026)
    ring = KeyRing(path)
    ring.pseudonym("demo", 2026, "x")
    destroy(path, "demo", 2026)
    assert not ring.has("demo", 2026)
    with pytest.raises(NoPseudonymKey):
        ring.pseudonym("demo", 2026, "x")
    path.unlink()
    assert ring.years("demo") == []


@pytest.mark.parametrize(
    ("today", "missing"),
    [
        (date(2026, 12, 31), []),
        (date(2027, 1, 1), []),
        (date(2027, 11, 30), []),
        (date(2027, 12, 1), [("demo", 2028)]),
        (date(2028, 1, 1), [("demo", 2028)]),
        (date(2028, 12, 31), [("demo", 2028), ("demo", 2029)]),
    ],
)
def test_a_ring_tells_a_month_ahead_which_keys_are_missing(
    path: Path, today: date, missing: list[tuple[str, int]]
) -> None:
    rotate(path, ["demo", "given-up"], 2026)
    for year in (2026, 2027):
        destroy(path, "given-up", year)
    assert KeyRing(path).missing(today) == missing


def test_a_missing_key_names_zone_and_year(path: Path) -> None:
    with pytest.raises(NoPseudonymKey, match="zone demo, year 2026") as missing:
        KeyRing(path).key("demo", 2026)
    assert (missing.value.zone_id, missing.value.year) == ("demo", 2026)


def test_only_the_owner_reads_the_ring(path: Path) -> None:
    rotate(path, ["demo"], 2026)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
