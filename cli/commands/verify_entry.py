"""`buurtbode verify-entry`: check one entry of the audit log, offline."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import say
from cli.failures import WRONGLY_CALLED, CommandError
from cli.logkey import LOG_KEY
from services.audit.domain.notes import NoteRefused, Verifier
from services.audit.domain.proof import (
    EntryProof,
    PartUnusable,
    ProofRefused,
    agree_with,
    prove_author,
    prove_part,
    read_proof,
)
from services.audit.verify import BROKEN, UNPROVEN, VERIFIED, Unusable, log_key, read_key


def verify_entry(
    proof: Annotated[
        Path, typer.Argument(help="The saved answer of /v1/zones/ZONE/entries/INDEX/proof.")
    ],
    *,
    key: Annotated[str | None, LOG_KEY] = None,
    kept: Annotated[
        Path | None,
        typer.Option(
            "--kept",
            help="A checkpoint you kept from before, of the proof's size (ask for the proof with "
            "?size=): shows that the log you are shown is the one you saw.",
        ),
    ] = None,
    part: Annotated[
        Path | None,
        typer.Option(
            "--part",
            help="The saved answer of /v1/messages/ID or /v1/sends/ID, or the entry's item of it: "
            "shows that the private part in it, such as a message's text, was not edited.",
        ),
    ] = None,
) -> None:
    """Check that one entry stands unchanged in an audit log (for an auditor). Needs no network.

    Ends with 0 only where the key proves who signed it, and prints the entry; 1 where something
    is wrong with the proof or the private part, and says what; 2 where nothing is proved: it is
    consistent with itself but no key was given, or a key or a file that was named is none.
    """
    given = _read(proof, key, kept, part)
    try:
        found = read_proof(given.answer)
        verifier = None if given.key is None else _prove_author(found, given.key)
        if given.note is not None:
            agree_with(found, given.note, verifier)
        private = None if given.part is None else prove_part(found, given.part)
    except ProofRefused as refused:
        say(f"NOT VERIFIED: {refused}.")
        raise typer.Exit(BROKEN) from None
    except PartUnusable as unusable:
        message = f"{part} cannot be checked: {unusable}"
        raise CommandError(message, WRONGLY_CALLED) from None
    if verifier is None:
        say("Consistent with itself, author unproven: give the log's key with --key.")
    else:
        say("VERIFIED.")
    _show(found)
    if given.part is not None:
        _show_part(found, private)
    if given.note is not None:
        say("The checkpoint that you kept has the same root.")
    raise typer.Exit(UNPROVEN if verifier is None else VERIFIED)


@dataclass(frozen=True, slots=True)
class _Given:
    """What the files hold that were named."""

    answer: bytes
    key: str | None
    note: str | None
    part: bytes | None


def _read(proof: Path, key: str | None, kept: Path | None, part: Path | None) -> _Given:
    try:
        return _Given(
            key=None if key is None else log_key(key),
            note=None if kept is None else kept.read_text(encoding="utf-8"),
            answer=proof.read_bytes(),
            part=None if part is None else part.read_bytes(),
        )
    except OSError as error:
        message = f"cannot read {error.filename} ({error.strerror})"
        raise CommandError(message, WRONGLY_CALLED) from None
    except UnicodeDecodeError:
        message = f"{kept} is not a checkpoint: a witness's *.note files are"
        raise CommandError(message, WRONGLY_CALLED) from None
    except Unusable as unusable:
        raise CommandError(str(unusable), WRONGLY_CALLED) from None


def _prove_author(found: EntryProof, key: str) -> Verifier:
    try:
        verifier = read_key(key, found.checkpoint.origin)
    except NoteRefused as refused:
        raise ProofRefused(str(refused)) from None
    prove_author(found, verifier)
    return verifier


def _show(found: EntryProof) -> None:
    index, checkpoint = found.entry["index"], found.checkpoint
    say(
        f"Entry {index} of {_plain(checkpoint.origin)}, as signed in the checkpoint of "
        f"{checkpoint.size} entries:"
    )
    _show_values({name: value for name, value in found.entry.items() if name != "index"})


def _show_part(found: EntryProof, private: Mapping[str, Any] | None) -> None:
    if private is not None:
        say("The private part is the one that the entry commits to:")
        _show_values(private)
    elif found.entry["private"] is None:
        say("The entry never had a private part.")
    else:
        say(
            "The private part is gone: it was erased, or its date has come. Nothing can be shown "
            "of what it said; the entry itself stands."
        )


def _show_values(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value is not None and value != []:
            say(f"  {_plain(name)}: {_plain(value)}")


def _plain(value: Any) -> str:
    """Write a value on one line: what came in a file may not move the cursor."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)
