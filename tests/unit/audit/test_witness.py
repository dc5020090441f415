"""A witness cosigns what only grew, and keeps the evidence of what did not."""

import base64
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.domain.entries import Sealed
from services.audit.domain.merkle import (
    consistency_ranges,
    leaf_hash,
    proof,
    root_of,
)
from services.audit.domain.notes import (
    Checkpoint,
    Cosigner,
    NoteRefused,
    Verifier,
    add_signature,
    cosign_note,
    origin_of,
)
from services.audit.verify import verify_bundle, verify_file
from services.audit.witness import Consistency, Parted, ProofRefused, Witness
from tests.unit.audit.bundles import KEY, bundle_of, entries, note_over

WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
LOG = Verifier.of(origin_of("demo"), KEY.public_key())
NAME = "witness.example.be"
NOON = 1773489600
BEFORE = entries(40)
AFTER = [*BEFORE[:17], *entries(40, text="rewritten")[17:]]
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def watching(folder: Path) -> Witness:
    return Witness(folder, LOG, NAME, WITNESS_KEY)


def proofs_of(sealed: Sequence[Sealed]) -> Consistency:
    leaves = [leaf_hash(entry.body) for entry in sealed]

    def give(old: int, new: int) -> list[bytes]:
        return proof(
            consistency_ranges(old, new),
            lambda node: root_of(leaves[node.place << node.level : (node.place + 1) << node.level]),
        )

    return give


def kept(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.note"))]


# tests/unit/audit/data/README.md names where note and keys were published
FOREIGN = (Path(__file__).parent / "data" / "cosigned-checkpoint.txt").read_text(encoding="utf-8")
FOREIGN_LOG = (
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
)
FOREIGN_WITNESSES = [
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
]


def test_a_checkpoint_of_another_log_opens_with_its_key() -> None:
    found = Checkpoint.open(FOREIGN, Verifier.parse(FOREIGN_LOG))
    assert (found.origin, found.size) == (FOREIGN_LOG.partition("+")[0], 1432088532)


@pytest.mark.parametrize("vkey", FOREIGN_WITNESSES)
def test_cosignatures_of_other_peoples_witnesses_count(vkey: str) -> None:
    witness = Cosigner.parse(vkey)
    assert witness.seen_at(FOREIGN) == 0x6A122120
    for old, new in (("1432088532", "1432088533"), ("U7WM", "U7WN")):
        with pytest.raises(NoteRefused, match="cosignature is wrong"):
            witness.seen_at(FOREIGN.replace(old, new))


@settings(max_examples=30)
@given(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=8))
def test_whatever_it_sees_of_a_growing_log_it_cosigns_once(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("witness")
    witness = watching(folder)
    for size in sizes:
        witness.see(note_over(BEFORE[:size]), NOON, proofs_of(BEFORE))
    notes = kept(folder)
    assert len(notes) == len(set(sizes))
    for note in notes:
        assert witness.cosigner.seen_at(note) == NOON
    report = verify_bundle(bundle_of(BEFORE), PEM, notes, witnesses=[witness.cosigner.vkey])
    assert (report.exit_code, report.kept_compared) == (0, len(notes))


@settings(max_examples=30)
@given(old=st.integers(18, 40), new=st.integers(18, 40))
def test_a_log_rewritten_with_its_own_key_is_caught_and_the_evidence_kept(
    tmp_path_factory: pytest.TempPathFactory, old: int, new: int
) -> None:
    folder = tmp_path_factory.mktemp("witness")
    witness = watching(folder)
    witness.see(note_over(BEFORE[:old]), NOON, proofs_of(BEFORE))
    with pytest.raises(Parted, match="was rewritten"):
        witness.see(note_over(AFTER[:new]), NOON, proofs_of(AFTER))
    assert len(kept(folder)) == 1
    assert len(list(folder.glob("parted-*"))) == 1
    # what it kept proves it to anybody
    report = verify_bundle(bundle_of(AFTER), PEM, kept(folder))
    assert report.problem is not None
    assert "between entry 0 and" in report.problem


def refuse(_old: int, _new: int) -> list[bytes]:
    raise ProofRefused("there is no such checkpoint")


def unreachable(_old: int, _new: int) -> list[bytes]:
    raise ConnectionError


@settings(max_examples=20)
@given(old=st.integers(1, 40), new=st.integers(1, 40))
def test_a_signed_checkpoint_that_is_not_proved_is_kept_and_said_until_it_is(
    tmp_path_factory: pytest.TempPathFactory, old: int, new: int
) -> None:
    if old == new:
        return
    folder = tmp_path_factory.mktemp("witness")
    watching(folder).see(note_over(BEFORE[:old]), NOON, proofs_of(BEFORE))
    for note in (note_over(BEFORE[:new]), note_over(BEFORE[:old])):
        with pytest.raises(Parted, match="not proved to have only grown"):
            watching(folder).see(note, NOON, refuse)
    waiting = list(folder.glob("unproven-*"))
    assert [path.read_text() for path in waiting] == [note_over(BEFORE[:new])]
    watching(folder).see(note_over(BEFORE[:old]), NOON, proofs_of(BEFORE))
    assert (len(kept(folder)), list(folder.glob("unproven-*"))) == (2, [])


def test_what_was_seen_while_no_proof_could_be_had_still_convicts_a_log(tmp_path: Path) -> None:
    watching(tmp_path).see(note_over(BEFORE[:20]), NOON, proofs_of(BEFORE))
    with pytest.raises(ConnectionError):
        watching(tmp_path).see(note_over(AFTER[:30]), NOON, unreachable)
    # meanwhile the operator puts the old log back
    with pytest.raises(Parted, match="was rewritten"):
        watching(tmp_path).see(note_over(BEFORE[:40]), NOON, proofs_of(BEFORE))
    evidence = list(tmp_path.glob("parted-*"))
    assert [path.read_text() for path in evidence] == [note_over(AFTER[:30])]


@given(old=st.integers(1, 40), new=st.integers(0, 39))
def test_the_last_checkpoint_of_a_log_never_gets_smaller(
    tmp_path_factory: pytest.TempPathFactory, old: int, new: int
) -> None:
    folder, witness = tmp_path_factory.mktemp("witness"), proofs_of(BEFORE)
    watching(folder).see(note_over(BEFORE[:old]), NOON, witness, is_last=True)
    if new >= old:
        watching(folder).see(note_over(BEFORE[:new]), NOON, witness, is_last=True)
        return
    with pytest.raises(Parted, match="has shrunk"):
        watching(folder).see(note_over(BEFORE[:new]), NOON, witness, is_last=True)
    assert len(list(folder.glob("parted-*"))) == 1


def test_verify_names_the_first_entry_at_which_a_log_parted_from_its_past(tmp_path: Path) -> None:
    old, new, key = tmp_path / "old.ndjson", tmp_path / "new.ndjson", tmp_path / "log.pem"
    key.write_text(PEM)
    old.write_bytes(b"".join(bundle_of(BEFORE[:30], erased=frozenset({3}))))
    new.write_bytes(b"".join(bundle_of(BEFORE, erased=frozenset({5}))))
    assert verify_file(new, str(key), [old])[0] == 0
    new.write_bytes(b"".join(bundle_of(AFTER)))
    code, said = verify_file(new, str(key), [old])
    assert code == 1
    assert "parted from its past here" in said[0]
    assert "entry 17" in said[0]
    old.write_bytes(b"".join(bundle_of(BEFORE[:30], WITNESS_KEY)))
    assert "the kept bundle itself is wrong" in verify_file(new, str(key), [old])[1][0]


def test_checkpoints_kept_at_every_entry_name_it_too() -> None:
    notes = [note_over(BEFORE[:size]) for size in range(1, 30)]
    report = verify_bundle(bundle_of(AFTER), PEM, notes)
    assert report.index == 17
    assert report.problem is not None
    assert "with entry 17" in report.problem


def test_a_witness_that_did_not_cosign_is_missed() -> None:
    cosigner = watching(Path()).cosigner
    note = note_over(BEFORE[:9])
    report = verify_bundle(bundle_of(BEFORE), PEM, [note], witnesses=[cosigner.vkey])
    assert report.problem == f"no checkpoint given bears a cosignature of {NAME}"
    signed = cosign_note(note, cosigner, NOON, WITNESS_KEY.sign)
    report = verify_bundle(bundle_of(BEFORE), PEM, [signed], witnesses=[cosigner.vkey])
    assert (report.exit_code, report.witnesses) == (0, 1)
    other = Cosigner.of(NAME, KEY.public_key()).vkey
    assert verify_bundle(bundle_of(BEFORE), PEM, [signed], witnesses=[other]).exit_code == 1


def test_a_witnesss_key_may_stand_in_a_file(tmp_path: Path) -> None:
    cosigner, bundle, key = watching(Path()).cosigner, tmp_path / "b.ndjson", tmp_path / "key"
    note, kept_note = note_over(BEFORE[:9]), tmp_path / "kept.note"
    bundle.write_bytes(b"".join(bundle_of(BEFORE)))
    kept_note.write_text(cosign_note(note, cosigner, NOON, WITNESS_KEY.sign), encoding="utf-8")
    key.write_text(f"{cosigner.vkey}\n")
    assert verify_file(bundle, LOG.vkey, [kept_note], [str(key)])[0] == 0


@given(at=st.integers(0, 75))
def test_a_changed_cosignature_does_not_count(at: int) -> None:
    cosigner = watching(Path()).cosigner
    note = cosign_note(note_over(BEFORE[:9]), cosigner, NOON, WITNESS_KEY.sign)
    head, _, encoded = note.rstrip("\n").rpartition(" ")
    data = bytearray(base64.b64decode(encoded))
    data[at] ^= 1
    changed = f"{head} {base64.b64encode(bytes(data)).decode()}\n"
    if at < 4:  # another key's, so not this witness's
        assert cosigner.seen_at(changed) is None
    else:
        with pytest.raises(NoteRefused, match="cosignature is wrong"):
            cosigner.seen_at(changed)


def test_a_note_of_another_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoteRefused, match="not signed by this key"):
        watching(tmp_path).see(note_over(BEFORE, WITNESS_KEY), NOON, proofs_of(BEFORE))
    assert kept(tmp_path) == []


NEW = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
NEW_LOG = Verifier.of(origin_of("demo"), NEW.public_key())
CHANGED, ALONE = 15, 25
"""Of how many entries on both keys sign, and the new one alone."""


def signed(size: int) -> str:
    """Give a checkpoint as a log signs it whose key changes."""
    if size >= ALONE:
        return note_over(BEFORE[:size], NEW)
    note = note_over(BEFORE[:size])
    return note if size < CHANGED else add_signature(note, NEW_LOG, NEW.sign)


def knowing(folder: Path, *former: Verifier) -> Witness:
    return Witness(folder, NEW_LOG, NAME, WITNESS_KEY, former)


@settings(max_examples=60)
@given(
    before=st.integers(1, 40),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    in_order=st.booleans(),
)
def test_a_witness_that_was_away_while_the_key_changed_goes_on_with_both(
    tmp_path_factory: pytest.TempPathFactory,
    before: int,
    sizes: list[int],
    in_order: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whatever it kept from before the change, and whatever it then sees, in any order."""
    folder, proofs = tmp_path_factory.mktemp("witness"), proofs_of(BEFORE)
    knowing(folder, LOG).see(signed(before), NOON, proofs)
    for size in sorted(sizes) if in_order else sizes:
        assert knowing(folder, LOG).see(signed(size), NOON, proofs).size == size
    last = knowing(folder, LOG).last()
    assert last is not None
    assert last.size == max(before, *sizes)
    if last.size >= CHANGED:  # from here on the former key is needed no more
        assert knowing(folder).last() == last
    else:
        with pytest.raises(NoteRefused, match="which this witness kept"):
            knowing(folder).last()
    vkeys = [LOG.vkey] if min(before, *sizes) < CHANGED else []
    report = verify_bundle(bundle_of(BEFORE, NEW), NEW_LOG.vkey, kept(folder), former=vkeys)
    assert report.problem is None


@pytest.mark.parametrize("kept_size", [CHANGED, ALONE])
def test_a_former_key_signs_nothing_beyond_where_the_new_one_began(
    tmp_path: Path, kept_size: int
) -> None:
    knowing(tmp_path, LOG).see(signed(kept_size), NOON, proofs_of(BEFORE))
    stolen = note_over(BEFORE[: kept_size + 5])
    for witness in (knowing(tmp_path, LOG), knowing(tmp_path)):
        with pytest.raises(NoteRefused, match=r"former key alone|not signed by this key"):
            witness.see(stolen, NOON, proofs_of(BEFORE))
    assert len(list(tmp_path.iterdir())) == 1


def test_keys_are_read_back() -> None:
    cosigner = watching(Path()).cosigner
    assert Cosigner.parse(cosigner.vkey) == cosigner
    for text in ("", "a+b", LOG.vkey, cosigner.vkey.replace("+", "+0", 1)):
        with pytest.raises(NoteRefused):
            Cosigner.parse(text)
    with pytest.raises(NoteRefused):
        Cosigner.of("a name", WITNESS_KEY.public_key())


def test_a_witness_starts_again_where_it_stood(tmp_path: Path) -> None:
    watching(tmp_path).see(note_over(BEFORE[:9]), NOON, proofs_of(BEFORE))
    again = watching(tmp_path)
    last = again.last()
    assert isinstance(last, Checkpoint)
    assert last.size == 9
    assert again.see(note_over(BEFORE[:20]), NOON, proofs_of(BEFORE)).is_new
    assert not again.see(note_over(BEFORE[:20]), NOON, proofs_of(BEFORE)).is_new
