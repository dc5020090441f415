"""What a message will look like and whom it reaches, before anybody confirms it."""

from typing import Any

from rich.prompt import Confirm

from cli.api import Json
from cli.connection import Connection
from cli.console import complain, counted, interactive, say, table
from cli.failures import CommandError
from shared.contracts.police import PoliceEvent


def agreed(
    event: PoliceEvent, connection: Connection, *, show_only: bool, yes: bool, question: str
) -> bool:
    """Show a preview and ask. False: nothing is to be sent. Raises `CommandError`.

    With `yes`, a dispatcher that gives no preview holds up nothing: the alert is still urgent, and
    its verdict says all that matters.
    """
    try:
        show(_ask(event, connection))
    except CommandError as error:
        if not yes:
            raise
        complain(f"No preview: {error}")
    if show_only:
        return False
    if yes:
        return True
    if not interactive():
        raise CommandError("nobody can be asked here whether to send this: add --yes to send it")
    return Confirm.ask(question, default=False)


def show(found: Json) -> None:
    """Print a preview: each text letter for letter, then each network."""
    for text in found["texts"]:
        say(_heading(text), style="bold")
        say(text["body"])
        say()
    table(
        None,
        ("network", "people", "unreachable", "by e-mail", "languages", "cost"),
        [_row(network) for network in found["networks"]],
    )
    for left in found["left_out"]:
        say(f"Left out: {left['network_id']} ({str(left['reason']).replace('_', ' ')})")
    say(summary(found))
    if found["approval_needed"]:
        say("A second officer must approve this: write a draft with --draft and --approver.")


def summary(found: Json) -> str:
    """Say the totals in one line."""
    by_mail = int(found["by_mail"])
    missed = int(found["unreachable"]) - by_mail
    reached = int(found["people"]) - missed
    how = f" ({by_mail} of them by e-mail)" if by_mail else ""
    cost = "" if found["cost"] is None else f", about {_euro(found['cost'])}"
    return (
        f"{counted(len(found['networks']), 'network')}, "
        f"{counted(found['people'], 'person', 'people')}: {reached} can get it{how}, "
        f"{missed} cannot be reached{cost}."
    )


def _heading(text: Json) -> str:
    parts = [str(text["language"])]
    if text["encoding"] is not None:
        parts.append(str(text["encoding"]).upper())
        parts.append(counted(int(text["segments"]), "segment"))
    if text["too_long"]:
        parts.append("TOO LONG: it would be refused")
    if text["subject"] is not None:
        parts.append(str(text["subject"]))
    return ", ".join(parts)


def _row(network: Json) -> tuple[str, ...]:
    shares: list[Json] = network["languages"]
    return (
        f"{network['name']} ({network['network_id']})",
        str(network["people"]),
        str(network["unreachable"]),
        str(network["by_mail"]),
        "\n".join(_share(share) for share in shares),
        "" if network["cost"] is None else _euro(network["cost"]),
    )


def _share(share: Json) -> str:
    parts = [f"{share['language']}: {share['people']}"]
    if share["unreachable"]:
        parts.append(f"{share['unreachable']} unreachable")
    if share["cost"] is not None:
        parts.append(_euro(share["cost"]))
    return ", ".join(parts)


def _euro(amount: Any) -> str:
    return f"EUR {float(amount):.2f}"


def _ask(event: PoliceEvent, connection: Connection) -> Json:
    with connection.api("dispatcher", "police") as dispatcher:
        return dispatcher.post("/v1/preview", event.model_dump(mode="json"))
