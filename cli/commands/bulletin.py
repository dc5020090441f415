"""`buurtbode bulletin`: a cold message, proposed to the coordinators of networks."""

from typing import Annotated

import typer

from cli import composing, keyfile, preview
from cli.commands.alert import YesOption
from cli.composing import FileOption, NetworksOption
from cli.connection import StackOption, connect
from cli.console import say
from cli.keyfile import KeyOption
from cli.police import signed
from cli.sending import DEFAULT_WAIT_S, WaitOption, send
from shared.clock import Clock


def bulletin(
    *,
    key: KeyOption = None,
    network: NetworksOption = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="feedback (on an alert), prevention or organisation."),
    ] = None,
    about: Annotated[
        str | None, typer.Option("--about", metavar="ID", help="For feedback: the alert's id.")
    ] = None,
    subject_nl: Annotated[str | None, typer.Option(help="The subject in Dutch.")] = None,
    subject_fr: Annotated[str | None, typer.Option(help="The subject in French.")] = None,
    subject_de: Annotated[str | None, typer.Option(help="The subject in German.")] = None,
    subject_en: Annotated[str | None, typer.Option(help="The subject in English.")] = None,
    nl: Annotated[str | None, typer.Option("--nl", help="The text in Dutch.")] = None,
    fr: Annotated[str | None, typer.Option("--fr", help="The text in French.")] = None,
    de: Annotated[str | None, typer.Option("--de", help="The text in German.")] = None,
    en: Annotated[str | None, typer.Option("--en", help="The text in English.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="actual, exercise or test.")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Never send it later than this many days.")
    ] = None,
    file: FileOption = None,
    show_only: Annotated[
        bool, typer.Option("--preview", help="Show what would go out to whom, and stop.")
    ] = False,
    yes: YesOption = False,
    wait: WaitOption = DEFAULT_WAIT_S,
    stack: StackOption = None,
) -> None:
    """Propose a bulletin: a mail that is not urgent. The coordinators read it and release it.

    Asks for what you do not say, shows a preview, asks you to confirm, and says whether the
    proposal was accepted.
    """
    signer = keyfile.read(key)
    connection = connect(stack)
    fields = composing.overlay(
        composing.from_file(file),
        {
            "network_ids": network,
            "kind": kind,
            "references": about,
            "subject": composing.by_language(subject_nl, subject_fr, subject_de, subject_en),
            "body": composing.by_language(nl, fr, de, en),
            "status": status,
        },
    )
    asked = composing.complete(fields, composing.bulletin_questions())
    minutes = days * 24 * 60 if days is not None else None
    message = composing.bulletin(composing.stamp(asked, "bulletin_id", signer, Clock(), minutes))
    question = "Propose this bulletin now?"
    if preview.agreed(message, connection, show_only=show_only, yes=yes, question=question):
        send(signed(message, signer, Clock()), connection, wait)
        say("It waits for the coordinators of these networks to release it.")
