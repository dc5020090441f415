"""Bundles made with the domain's own functions, for the tests that spoil them."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.audit.domain.bundle import Header, entry_line, header_line
from services.audit.domain.entries import Draft, EntryType, Sealed, seal
from services.audit.domain.merkle import leaf_hash, root_of
from services.audit.domain.notes import Checkpoint, Verifier, origin_of, sign_note

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TIME = datetime(2026, 3, 14, 20, 15, tzinfo=UTC)


def entries(count: int, log: str = "demo", text: str = "é") -> list[Sealed]:
    """Give entries with private parts."""
    return [
        seal(
            Draft(
                event_id=f"event-{number}",
                type=EntryType.SEND,
                time=TIME,
                message_id="6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90",
                send_id=f"send-{number}",
                seq=1,
                network_ids=("bin-linde",),
                state="accepted",
                private={"recipient": f"{number:064x}", "member_ids": ["m"], "text": text},
            ),
            number,
            log,
            hashlib.sha256(str(number).encode()).digest(),
        )
        for number in range(count)
    ]


def note_over(sealed: Sequence[Sealed], key: Ed25519PrivateKey = KEY, log: str = "demo") -> str:
    """Sign a checkpoint over entries."""
    root = root_of(leaf_hash(entry.body) for entry in sealed)
    checkpoint = Checkpoint(origin_of(log), len(sealed), root)
    return sign_note(checkpoint.text, Verifier.of(origin_of(log), key.public_key()), key.sign)


def bundle_of(
    sealed: Sequence[Sealed],
    key: Ed25519PrivateKey = KEY,
    log: str = "demo",
    erased: frozenset[int] = frozenset(),
) -> list[bytes]:
    """Give a bundle's lines; the private parts of `erased` are gone."""
    note = note_over(sealed, key, log)
    verifier = Verifier.of(origin_of(log), key.public_key())
    lines = [header_line(Header(origin_of(log), len(sealed), note, verifier.vkey))]
    for entry in sealed:
        gone = entry.index in erased
        lines.append(
            entry_line(entry.body, None if gone else entry.part, None if gone else entry.salt)
        )
    return lines


def vkey(key: Ed25519PrivateKey = KEY, log: str = "demo") -> str:
    """Give the key as text."""
    return Verifier.of(origin_of(log), key.public_key()).vkey
