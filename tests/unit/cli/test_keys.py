"""Making a key: the private half is private, and what it signs is what the judge verifies."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import keyfile
from cli.failures import CommandError
from shared.contracts.registry import LegalBasis, PublisherKey, Zone
from shared.signatures import verify
from tests.unit.cli.conftest import Run


def _made(run: Run, path: Path) -> keyfile.SigningKey:
    ran = run("keys", "new", "--zone", "demo", "--officer", "officer-1", "--out", path)
    assert ran.code == 0, ran.err
    return keyfile.read(path)


def test_the_private_file_is_for_its_owner_only(run: Run, tmp_path: Path) -> None:
    _made(run, tmp_path / "me.jwk")
    assert stat.S_IMODE((tmp_path / "me.jwk").stat().st_mode) == 0o600


def test_the_public_file_holds_no_private_part(run: Run, tmp_path: Path) -> None:
    _made(run, tmp_path / "me.jwk")
    public = json.loads((tmp_path / "me.jwk.pub").read_text())
    assert "d" not in public["jwk"]
    assert '"d"' not in (tmp_path / "me.jwk.pub").read_text()


def test_a_key_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "me.jwk"
    _made(run, path)
    before = path.read_bytes()
    ran = run("keys", "new", "--zone", "demo", "--officer", "officer-1", "--out", path)
    assert ran.code == 1
    assert "not overwritten" in ran.err
    assert path.read_bytes() == before


def test_what_it_signs_the_judge_verifies(run: Run, tmp_path: Path) -> None:
    key = _made(run, tmp_path / "me.jwk")
    enrolment = keyfile.read_enrolment(tmp_path / "me.jwk.pub")
    enrolled = PublisherKey(
        kid=enrolment.jwk["kid"],
        jwk=enrolment.jwk,
        officer_id=enrolment.officer_id,
        nbf=enrolment.nbf,
        exp=enrolment.exp,
        enrolled_by="admin-1",
        confirmed_by="officer-2",
    )
    basis = LegalBasis(warm="a", cold="b")
    zone = Zone(zone_id="demo", version=1, name="Demo", legal_basis=basis, keys=(enrolled,))
    token = key.sign(b"{}", "bin.alerts").decode()
    found = verify(
        b"{}", token, zone, topic="bin.alerts", now=datetime.now(UTC), field="bin-signature"
    )
    assert found.officer_id == key.issued_by == "officer-1"


def test_it_is_valid_for_as_long_as_was_asked(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "me.jwk"
    run("keys", "new", "--zone", "demo", "--system", "--out", path, "--days", 10)
    enrolment = keyfile.read_enrolment(keyfile.public_path(path))
    assert timedelta(days=10) <= enrolment.exp - enrolment.nbf < timedelta(days=10, hours=1)
    assert enrolment.officer_id is None


def test_a_systems_key_issues_in_its_own_name(run: Run, tmp_path: Path) -> None:
    run("keys", "new", "--zone", "demo", "--system", "--out", tmp_path / "system.jwk")
    key = keyfile.read(tmp_path / "system.jwk")
    assert key.issued_by == key.kid


def test_it_asks_whose_key_it_is(run: Run, tmp_path: Path) -> None:
    ran = run("keys", "new", "--zone", "demo", "--out", tmp_path / "me.jwk")
    assert ran.code == 1
    assert "--officer" in ran.err


def test_signing_with_the_public_half_says_which_file_to_take(run: Run, tmp_path: Path) -> None:
    _made(run, tmp_path / "me.jwk")
    with pytest.raises(CommandError, match=r"sign with me\.jwk"):
        keyfile.read(tmp_path / "me.jwk.pub")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b'{"kty":"OKP"}'])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=r"other\.json"):
        keyfile.read(path)
    with pytest.raises(CommandError, match=r"other\.json"):
        keyfile.read_enrolment(path)
