"""`buurtbode alert` and `approve`: a warm message, from the officer's words to its verdict."""

from pathlib import Path
from typing import Annotated

import typer

from cli import cap, composing, drafts, keyfile, places, preview
from cli.composing import ExpiresOption, Fields, FileOption, NetworksOption
from cli.connection import Connection, StackOption, connect
from cli.console import say
from cli.failures import CommandError
from cli.keyfile import KeyOption, SigningKey
from cli.police import approved, signed
from cli.sending import DEFAULT_WAIT_S, WaitOption, send
from shared.clock import Clock
from shared.contracts import Alert

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, send.")]


def alert(
    *,
    key: KeyOption = None,
    network: NetworksOption = None,
    event: Annotated[
        str | None,
        typer.Option(
            "--event", help="What it is about: " + ", ".join(composing.ALERT_EVENTS) + "."
        ),
    ] = None,
    nl: Annotated[str | None, typer.Option("--nl", help="The text in Dutch.")] = None,
    fr: Annotated[str | None, typer.Option("--fr", help="The text in French.")] = None,
    de: Annotated[str | None, typer.Option("--de", help="The text in German.")] = None,
    en: Annotated[str | None, typer.Option("--en", help="The text in English.")] = None,
    status: Annotated[
        str | None,
        typer.Option("--status", help="actual, exercise (people are told) or test (no phone)."),
    ] = None,
    minutes: ExpiresOption = None,
    file: FileOption = None,
    update: Annotated[
        str | None,
        typer.Option("--update", metavar="ID", help="It replaces what was said in this alert."),
    ] = None,
    all_clear: Annotated[
        str | None,
        typer.Option("--all-clear", metavar="ID", help="It ends this alert."),
    ] = None,
    cap_file: Annotated[
        Path | None,
        typer.Option(
            "--cap",
            metavar="FILE",
            help="A CAP 1.2 document (OASIS) that says it all; --network and --event may add "
            "what it leaves open.",
        ),
    ] = None,
    show_only: Annotated[
        bool, typer.Option("--preview", help="Show what would go out to whom, and stop.")
    ] = False,
    draft: Annotated[
        Path | None,
        typer.Option("--draft", help="Sign it but do not send it: a second officer must approve."),
    ] = None,
    approver: Annotated[
        str | None,
        typer.Option("--approver", help="The officer who will approve the draft."),
    ] = None,
    yes: YesOption = False,
    wait: WaitOption = DEFAULT_WAIT_S,
    stack: StackOption = None,
) -> None:
    """Send an alert to the members of neighbourhood networks, by SMS, within seconds.

    Asks for what you do not say. Shows how it will look and how many people get it, asks you to
    confirm, sends it, and says whether it was accepted. More than 10 networks in half an hour
    need a second officer: write a draft, and let a colleague 'buurtbode approve' it.
    """
    if update and all_clear:
        raise CommandError("--update and --all-clear exclude each other")
    if (draft is None) != (approver is None):
        raise CommandError("--draft FILE and --approver OFFICER belong together")
    if cap_file and any((nl, fr, de, en, status, minutes, file, update, all_clear)):
        raise CommandError("--cap says it all: of the rest, only --network and --event go with it")
    signer = keyfile.read(key)
    connection = connect(stack)
    given: Fields = {
        "network_ids": network,
        "event": event,
        "text": composing.by_language(nl, fr, de, en),
        "status": status,
        "approved_by": approver,
        "references": update or all_clear,
    }
    if update or all_clear:
        given["kind"] = "update" if update else "all_clear"
    said = composing.from_file(file)
    if cap_file is not None:
        said = from_cap(cap_file, connection, network, event)
    fields = composing.overlay({"kind": "alert", **said}, given)
    message = _message(fields, signer, minutes)
    if not _agreed(message, connection, show_only=show_only, yes=yes or draft is not None):
        return
    record = signed(message, signer, Clock())
    if draft is not None:
        drafts.write(record, draft)
        say(f"Signed, not sent. Officer {approver} sends it with:  buurtbode approve {draft}")
        return
    send(record, connection, wait)
    say(f"Follow it with:  buurtbode coverage {message.alert_id} --follow")


def approve(
    draft: Annotated[Path, typer.Argument(help="The draft that your colleague gave you.")],
    *,
    key: KeyOption = None,
    yes: YesOption = False,
    wait: WaitOption = DEFAULT_WAIT_S,
    stack: StackOption = None,
) -> None:
    """Approve a colleague's alert: read it, sign the very same bytes, and send it."""
    record, message = drafts.read(draft)
    signer = keyfile.read(key)
    if message.approved_by != signer.issued_by:
        text = f"officer {message.approved_by} must approve this; your key is {signer.issued_by}'s"
        raise CommandError(text)
    connection = connect(stack)
    if _agreed(message, connection, show_only=False, yes=yes):
        send(approved(record, signer), connection, wait)


def from_cap(
    path: Path, connection: Connection, network: list[str] | None, event: str | None
) -> Fields:
    """Read a CAP document; where it names no place, and only there, --network has to."""
    read = cap.read(path, Clock().now(), event)
    if network and read.place.named:
        raise CommandError("CAP: it names its own area, which --network cannot replace")
    if network:
        return read.fields
    if not read.place.named:
        raise CommandError("CAP: it names no area that can be matched: say --network")
    found = places.networks_at(read.place, connection)
    for left in found.without_map:
        say(f"Not matched: {left} (its area is a list of streets; it needs an alert of its own)")
    return {**read.fields, "network_ids": found.network_ids}


def _message(fields: Fields, signer: SigningKey, minutes: int | None) -> Alert:
    asked = composing.complete(fields, composing.alert_questions())
    return composing.alert(composing.stamp(asked, "alert_id", signer, Clock(), minutes))


def _agreed(message: Alert, connection: Connection, *, show_only: bool, yes: bool) -> bool:
    return preview.agreed(
        message, connection, show_only=show_only, yes=yes, question="Send this alert now?"
    )
