"""Offline verification: whatever is done to a bundle is found, and named."""

import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.audit.domain.bundle import entry_line
from services.audit.domain.entries import LASTING, Draft, EntryType, seal
from services.audit.verify import (
    BROKEN,
    UNPROVEN,
    VERIFIED,
    Report,
    Unusable,
    verify_bundle,
    verify_file,
)
from tests.unit.audit.bundles import KEY, TIME, bundle_of, entries, note_over, vkey

COUNT = 9
SEALED = entries(COUNT)
LINES = bundle_of(SEALED, erased=frozenset({4}))
WHOLE = b"".join(LINES)
KEPT = note_over(SEALED[:5])
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def verify(lines: list[bytes], kept: tuple[str, ...] = (KEPT,)) -> Report:
    return verify_bundle(lines, vkey(), kept)


def test_a_whole_bundle_is_verified() -> None:
    report = verify(LINES)
    assert report == Report(
        entries=COUNT,
        erased=1,
        author_proven=True,
        kept_compared=1,
        origin="buurtbode/demo",
        size=COUNT,
    )
    assert report.exit_code == VERIFIED


def test_an_empty_log_is_verified() -> None:
    assert verify_bundle(bundle_of([]), vkey()).exit_code == VERIFIED


def test_without_a_key_the_author_is_unproven() -> None:
    report = verify_bundle(LINES)
    assert (report.problem, report.author_proven, report.exit_code) == (None, False, UNPROVEN)


@settings(max_examples=400)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_anywhere_is_found(at: int, flip: int) -> None:
    changed = bytearray(WHOLE)
    changed[at] ^= flip
    spoiled = list(io.BytesIO(changed))
    assert verify(spoiled).exit_code == BROKEN
    assert verify_bundle(spoiled).exit_code == BROKEN


DEEP = b'{"a":' * 1000 + b"0.5" + b"}" * 1000
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())


def with_value(line: int, name: str, value: bytes) -> list[bytes]:
    """Give the bundle with another value of a field of one line."""
    held: dict[str, Any] = orjson.loads(LINES[line])
    texts = {field: orjson.dumps(held[field], option=orjson.OPT_SORT_KEYS) for field in held}
    texts[name] = value
    body = b",".join(b'"%s":%s' % (field.encode(), text) for field, text in texts.items())
    return [*LINES[:line], b"{" + body + b"}\n", *LINES[line + 1 :]]


@given(st.integers(0, COUNT), JSON_VALUES, st.data())
def test_any_value_in_the_place_of_another_is_refused(
    line: int, value: bytes, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(orjson.loads(LINES[line]))))
    changed = with_value(line, name, value)
    assume(changed != LINES)
    assert verify(changed).exit_code == BROKEN


@pytest.mark.parametrize("value", [b"9007199254740993", b"-1", b"1e400", b"0.5", DEEP])
def test_a_value_that_has_no_canonical_form_is_refused_wherever_it_stands(value: bytes) -> None:
    for line in (0, 1):
        for name in orjson.loads(LINES[line]):
            assert verify(with_value(line, name, value)).exit_code == BROKEN


@given(st.integers(0, len(WHOLE) - 1))
def test_a_cut_off_file_is_found(length: int) -> None:
    assert verify(list(io.BytesIO(WHOLE[:length]))).exit_code == BROKEN


@pytest.mark.parametrize("kind", EntryType)
def test_a_part_is_missed_where_nothing_may_erase_it(kind: EntryType) -> None:
    """A member's part may have been erased, a text's date may have come; a verdict stays."""
    draft = Draft(event_id="one", type=kind, time=TIME, private={"what": "it says"})
    report = verify_bundle(bundle_of([seal(draft, 0, "demo", bytes(32))], erased=frozenset({0})))
    if kind in LASTING:
        assert report.problem == "a private part is missing that nothing erases"
        assert (report.exit_code, report.line, report.index) == (BROKEN, 2, 0)
    else:
        assert (report.problem, report.erased) == (None, 1)


@given(st.integers(0, COUNT))
def test_a_dropped_line_is_found_where_it_was(at: int) -> None:
    report = verify(LINES[:at] + LINES[at + 1 :])
    assert report.exit_code == BROKEN
    if 0 < at < COUNT:
        assert (report.line, report.index) == (at + 1, at - 1)


@given(st.integers(0, COUNT + 1), st.integers(0, COUNT))
def test_an_inserted_line_is_found(at: int, which: int) -> None:
    assert verify([*LINES[:at], LINES[which], *LINES[at:]]).exit_code == BROKEN


@given(st.lists(st.integers(0, COUNT), min_size=2, max_size=2, unique=True))
def test_swapped_lines_are_found(pair: list[int]) -> None:
    one, other = pair
    lines = list(LINES)
    lines[one], lines[other] = lines[other], lines[one]
    assert verify(lines).exit_code == BROKEN


@given(st.integers(0, COUNT - 1))
def test_a_foreign_private_part_is_found(at: int) -> None:
    foreign = entries(COUNT, text="other")[at]
    lines = list(LINES)
    lines[at + 1] = entry_line(SEALED[at].body, foreign.part, foreign.salt)
    report = verify(lines)
    assert report.problem is not None
    assert "private part" in report.problem
    assert report.index == at


def test_a_log_rewritten_and_signed_with_a_fresh_key_is_found() -> None:
    rewritten = bundle_of(entries(COUNT, text="nothing happened"), key=OTHER)
    report = verify_bundle(rewritten, vkey())
    assert report.problem == "the bundle was signed with another key than the one given"
    assert verify_bundle(rewritten).exit_code == UNPROVEN  # consistent with itself, no more


def test_a_log_rewritten_and_signed_with_its_own_key_is_found_by_a_kept_checkpoint() -> None:
    rewritten = bundle_of(entries(COUNT, text="nothing happened"))
    assert verify_bundle(rewritten, vkey()).exit_code == VERIFIED
    report = verify(rewritten)
    assert report.index == 4
    assert report.problem is not None
    assert "rewritten" in report.problem


@given(st.integers(0, COUNT - 1), st.integers(1, COUNT), st.booleans())
def test_whoever_kept_a_checkpoint_over_a_rewritten_entry_finds_it(
    at: int,
    size: int,
    fresh: bool,  # noqa: FBT001 - drawn
) -> None:
    rewritten = [*SEALED[:at], entries(COUNT, text="nothing happened")[at], *SEALED[at + 1 :]]
    kept, key = note_over(SEALED[:size]), OTHER if fresh else KEY
    report = verify(bundle_of(rewritten, key=key), (kept,))
    seen = fresh or size > at  # nobody can tell what nobody kept
    assert report.exit_code == (BROKEN if seen else VERIFIED)
    assert verify_bundle(bundle_of(rewritten, key=key), vkey(key), (kept,)).exit_code == (
        BROKEN if seen else VERIFIED
    )


def test_a_log_cut_back_behind_a_kept_checkpoint_is_found() -> None:
    report = verify(bundle_of(SEALED[:3]))
    assert report.problem is not None
    assert "shorter than a kept checkpoint" in report.problem


def test_kept_checkpoints_must_be_of_this_log_and_key() -> None:
    for kept in (
        note_over(SEALED[:5], OTHER),
        note_over(entries(5, "other"), log="other"),
        "nonsense",
    ):
        assert verify(LINES, (kept,)).exit_code == BROKEN
    forked = note_over(entries(5, text="x"))
    report = verify(LINES, (KEPT, forked))
    assert report.problem is not None
    assert "forked" in report.problem


def test_an_entry_of_another_zone_is_found() -> None:
    smuggled = entries(COUNT, "other")
    report = verify(bundle_of(smuggled))
    assert report.problem == "the entry is of another zone"


def test_the_key_of_another_zone_does_not_count() -> None:
    assert verify_bundle(LINES, vkey(log="other")).problem == "the key is not for this log"


@given(st.binary(max_size=200))
def test_nothing_that_a_file_holds_raises(junk: bytes) -> None:
    assert verify(list(io.BytesIO(junk))).exit_code == BROKEN
    assert verify([LINES[0], *io.BytesIO(junk)]).exit_code == BROKEN


@pytest.mark.parametrize(
    "line",
    [
        b"[]\n",
        b"{}\n",
        b'{"entry":{},"private":null,"salt":null}\n',
        b'{"entry":1,"private":null,"salt":null}\n',
        LINES[1].replace(b'"seq":1', b'"seq":1.0'),
        LINES[1].replace(b'"seq":1', b'"seq":1e0'),
        LINES[1].replace(b'"seq":1', b'"seq": 1'),
        LINES[1].replace(b'"seq":1', b'"seq":1,"seq":1'),
        LINES[1].replace(b'"seq":1', b'"seq":99999999999999999999'),
    ],
)
def test_another_form_of_a_line_is_refused(line: bytes) -> None:
    report = verify([LINES[0], line, *LINES[2:]])
    assert (report.exit_code, report.line, report.index) == (BROKEN, 2, 0)


def test_files_keys_and_words(tmp_path: Path) -> None:
    bundle, key, kept = tmp_path / "b.ndjson", tmp_path / "key", tmp_path / "kept"
    bundle.write_bytes(WHOLE)
    kept.write_text(KEPT, encoding="utf-8")
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for text in (vkey(), pem.decode()):
        key.write_text(text, encoding="utf-8")
        assert verify_file(bundle, str(key), [kept]) == (
            VERIFIED,
            [
                "VERIFIED.",
                "9 entries of buurtbode/demo, as signed in the checkpoint.",
                "1 private parts have been erased; their entries still hold.",
                "Begins with every kept checkpoint (1 compared).",
            ],
        )
    assert verify_file(bundle, vkey())[0] == VERIFIED
    code, words = verify_file(bundle)
    assert code == UNPROVEN
    assert words[0].startswith("Consistent with itself, author unproven")
    bundle.write_bytes(b"".join([*LINES[:3], *LINES[4:]]))
    assert verify_file(bundle, str(key)) == (
        BROKEN,
        ["NOT VERIFIED: an entry is missing, doubled or out of order (line 4, entry 2)."],
    )


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    rsa = generate_private_key(65537, 2048).public_key()
    pem = rsa.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for key in ("nonsense", pem, pem[:80]):
        assert verify_bundle(LINES, key).exit_code == BROKEN
    with pytest.raises(FileNotFoundError):
        verify_file(tmp_path / "absent")


PUBLIC = KEY.public_key()
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DER = PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
GIVE: dict[str, Callable[[Path, str], object]] = {
    "key": verify_file,
    "former": lambda bundle, given: verify_file(bundle, former=[given]),
    "witness": lambda bundle, given: verify_file(bundle, witnesses=[given]),
}
CONVERT = "not a PEM public key; convert it with: openssl pkey -pubin -inform DER"


@pytest.mark.parametrize("option", GIVE)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (DER, {"witness": "not the line of text"}),
        (b"nonsense", "not of the form name"),
        (PEM[:80], {"witness": "not of the form name"}),
        (PRIVATE, {"witness": "not of the form name", "key": "-pubout", "former": "-pubout"}),
    ],
)
def test_a_key_file_that_is_none_says_nothing_of_the_bundle(
    tmp_path: Path, option: str, content: bytes | None, said: str | dict[str, str]
) -> None:
    bundle, key = tmp_path / "b.ndjson", tmp_path / "key"
    bundle.write_bytes(WHOLE)
    if content is not None:
        key.write_bytes(content)
    otherwise = CONVERT if content == DER else "not a PEM public key"
    words = said if isinstance(said, str) else said.get(option, otherwise)
    with pytest.raises((Unusable, OSError), match=words) as raised:
        GIVE[option](bundle, str(key))
    assert str(key) in str(raised.value)


@pytest.mark.parametrize("given", ["a+b", vkey()[:-4], "keys+/log.pem", "x" * 300 + "+y"])
def test_a_verifier_key_that_is_misspelt_is_neither_key_nor_file(
    tmp_path: Path, given: str
) -> None:
    bundle = tmp_path / "b.ndjson"
    bundle.write_bytes(WHOLE)
    for give in GIVE.values():
        with pytest.raises(Unusable, match="is no file, and"):
            give(bundle, given)


def test_a_file_may_have_a_plus_in_its_name(tmp_path: Path) -> None:
    bundle, key = tmp_path / "b.ndjson", tmp_path / "a+b.pem"
    bundle.write_bytes(WHOLE)
    key.write_bytes(PEM)
    assert verify_file(bundle, str(key))[0] == VERIFIED


def test_a_kept_file_that_is_binary_says_nothing_of_the_bundle(tmp_path: Path) -> None:
    bundle, kept = tmp_path / "b.ndjson", tmp_path / "kept"
    bundle.write_bytes(WHOLE)
    kept.write_bytes(DER)
    with pytest.raises(Unusable, match="neither a checkpoint nor a bundle"):
        verify_file(bundle, vkey(), [kept])


def test_memory_does_not_grow_with_the_bundle() -> None:
    def peak(count: int) -> int:
        sealed = entries(count)
        head = bundle_of(sealed)[0]

        def lines() -> Iterator[bytes]:
            yield head
            for entry in sealed:
                yield entry_line(entry.body, entry.part, entry.salt)

        tracemalloc.start()
        try:
            assert verify_bundle(lines(), vkey()).exit_code == VERIFIED
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(4000) < 2 * peak(200)


def test_an_entry_has_exactly_its_fields() -> None:
    assert set(orjson.loads(SEALED[0].body)) == {
        *("index", "event_id", "time", "type", "zone_id", "message_id", "send_id", "seq"),
        *("network_ids", "lane", "channel", "state", "reason", "attempt", "language"),
        *("template", "segments", "basis", "actor", "private"),
    }
