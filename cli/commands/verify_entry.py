"""`buurtbode verify-entry`: check one entry of the audit log, offline."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import say
from cli.failures import WRONGLY_CALLED, CommandError
from cli.logkey import LOG_KEY
from services.audit.domain.notes import NoteRefused, Verifier
from services.audit.domain.proof import (
    EntryProof,
    ProofRefused,
    agree_with,
    prove_author,
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
) -> None:
    """Check that one entry stands unchanged in an audit log (for an auditor). Needs no network.

    Ends with 0 only where the key proves who signed it, and prints the entry; 1 where something
    is wrong with the proof, and says what; 2 where nothing is proved: it is consistent with itself
    but no key was given, or a key or a file that was named is none.
    """
    try:
        text = None if key is None else log_key(key)
        note = None if kept is None else kept.read_text(encoding="utf-8")
        answer = proof.read_bytes()
    except OSError as error:
        message = f"cannot read {error.filename} ({error.strerror})"
        raise CommandError(message, WRONGLY_CALLED) from None
    except UnicodeDecodeError:
        message = f"{kept} is not a checkpoint: a witness's *.note files are"
        raise CommandError(message, WRONGLY_CALLED) from None
    except Unusable as unusable:
        raise CommandError(str(unusable), WRONGLY_CALLED) from None
    try:
        found = read_proof(answer)
        verifier = None if text is None else _prove_author(found, text)
        if note is not None:
            agree_with(found, note, verifier)
    except ProofRefused as refused:
        say(f"NOT VERIFIED: {refused}.")
        raise typer.Exit(BROKEN) from None
    if verifier is None:
        say("Consistent with itself, author unproven: give the log's key with --key.")
    else:
        say("VERIFIED.")
    _show(found)
    if note is not None:
        say("The checkpoint that you kept has the same root.")
    raise typer.Exit(UNPROVEN if verifier is None else VERIFIED)


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
    for name, value in found.entry.items():
        if value is not None and value != [] and name != "index":
            say(f"  {name}: {_plain(value)}")


def _plain(value: Any) -> str:
    """Write a value on one line: what came in a file may not move the cursor."""
    return value if isinstance(value, str) and value.isprintable() else json.dumps(value)
