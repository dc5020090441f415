"""`buurtbode verify-entry`: what it says of a proof, and how it ends."""

from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.audit.domain.entries import Sealed
from services.audit.verify import BROKEN, UNPROVEN, VERIFIED
from tests.unit.audit.bundles import KEY, entries, note_over, vkey
from tests.unit.audit.test_proof import COUNT, FILE, OTHER, SEALED, answer, changed
from tests.unit.cli.conftest import Run


def test_the_command_says_what_is_proved_and_by_whose_key(run: Run, tmp_path: Path) -> None:
    proof, key, kept = tmp_path / "proof.json", tmp_path / "key.pem", tmp_path / "kept"
    proof.write_bytes(FILE)
    key.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    kept.write_text(note_over(SEALED), encoding="utf-8")
    for given_key in (str(key), vkey()):
        ran = run("verify-entry", str(proof), "--key", given_key, "--kept", str(kept))
        assert (ran.code, ran.out.splitlines()[0]) == (VERIFIED, "VERIFIED.")
        for shown in ("Entry 5 of buurtbode/demo", "send_id: send-5", "state: accepted", "kept"):
            assert shown in ran.out
    ran = run("verify-entry", str(proof), "--kept", str(kept))
    assert ran.code == UNPROVEN
    assert ran.out.startswith("Consistent with itself, author unproven")


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (note_over(entries(COUNT, text="other")), "forked or rewritten"),
        (note_over(SEALED, OTHER), "does not count"),
        (note_over(SEALED[:8]), "?size=8"),
        (note_over(SEALED[:5]), "older than entry 5"),
        (note_over(entries(COUNT, "other"), log="other"), "does not count"),
        ("nonsense", "does not count"),
    ],
)
def test_a_kept_checkpoint_that_does_not_bear_it_out_is_named(
    run: Run, tmp_path: Path, kept: str, said: str
) -> None:
    proof, note = tmp_path / "proof.json", tmp_path / "kept"
    proof.write_bytes(FILE)
    note.write_text(kept, encoding="utf-8")
    ran = run("verify-entry", str(proof), "--key", vkey(), "--kept", str(note))
    assert ran.code == BROKEN
    assert said in ran.out.replace("\n", " ")


def test_a_proof_that_is_wrong_shows_no_entry(run: Run, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    for content, key in (
        (changed("entry.state", "failed"), vkey()),
        (FILE, vkey(OTHER)),
        (FILE, vkey(log="other")),
    ):
        proof.write_bytes(content)
        ran = run("verify-entry", str(proof), "--key", key)
        assert (ran.code, "send-5" in ran.out) == (BROKEN, False)
        assert ran.out.startswith("NOT VERIFIED: ")


def test_what_was_named_and_is_no_key_or_file_says_nothing_of_the_proof(
    run: Run, tmp_path: Path
) -> None:
    proof = tmp_path / "proof.json"
    proof.write_bytes(FILE)
    latin = tmp_path / "latin"
    latin.write_bytes(b"\xff")
    for arguments in (
        (str(tmp_path / "absent"),),
        (str(proof), "--key", str(tmp_path / "absent")),
        (str(proof), "--key", str(proof)),
        (str(proof), "--kept", str(latin)),
    ):
        ran = run("verify-entry", *arguments)
        assert (ran.code, ran.out) == (2, ""), arguments
        assert "Traceback" not in ran.err


def test_what_a_file_says_cannot_move_the_cursor(run: Run, tmp_path: Path) -> None:
    sealed = entries(3)
    whole = orjson.loads(sealed[0].body)
    body = orjson.dumps({**whole, "reason": "\x1b[2Jfine"}, option=orjson.OPT_SORT_KEYS)
    odd = [Sealed(0, sealed[0].draft, body, None, b""), *sealed[1:]]
    proof = tmp_path / "proof.json"
    proof.write_bytes(orjson.dumps(answer(0, odd)))
    ran = run("verify-entry", str(proof), "--key", vkey())
    assert ran.code == VERIFIED
    assert "\x1b" not in ran.out
    assert "[2Jfine" in ran.out
