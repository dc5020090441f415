"""`buurtbode sends`: sends whose outcome nobody knows, and what an operator says about them."""

from typing import Annotated

import typer

from cli.api import Api, RefusedError
from cli.connection import StackOption, connect
from cli.console import counted, say, table
from cli.failures import CommandError

app = typer.Typer(help="Sends whose outcome nobody knows (for an operator).", no_args_is_help=True)

OUTCOMES = ("accepted", "failed")
_RESTORED = "restored"
_OWN_MATTER = {404, 409}
"""Answers that are about one send, and say nothing of the others."""

MessageOption = Annotated[
    str | None,
    typer.Option("--message", metavar="ID", help="Only those of this message.", show_default=False),
]


@app.command("unknown")
def unknown(
    *,
    message: MessageOption = None,
    warm: Annotated[
        bool, typer.Option("--all", help="Warm ones too, which settle at their expiry.")
    ] = False,
    stack: StackOption = None,
) -> None:
    """List the mails that a server may or may not have taken: it never said.

    They are never sent again by themselves. Look a send's id up in the mail server's log (its
    Message-ID begins with it), and say what you found with 'buurtbode sends settle'.
    """
    with _dispatcher(stack) as dispatcher:
        found = list(_unknown(dispatcher, message, warm=warm))
    if not found:
        rest = "" if warm else " of what waits for you; --all shows the rest, which settles itself"
        say(f"Nothing: the outcome of every send is known{rest}.")
        return
    rows = [
        (
            one["send_id"],
            one["lane"],
            one["channel"],
            one["unknown_since"] or "",
            one["reason"] or "",
            one["message_id"],
        )
        for one in found
    ]
    table(None, ("send", "lane", "by", "unknown since", "reason", "message"), rows)


@app.command("settle")
def settle(
    send: Annotated[
        list[str] | None, typer.Argument(help="The sends' ids.", show_default=False)
    ] = None,
    *,
    outcome: Annotated[
        str,
        typer.Option("--as", help="accepted: the server took it; failed: it never did."),
    ],
    reason: Annotated[
        str, typer.Option("--reason", help="How you know; it is put on record. No names.")
    ],
    message: MessageOption = None,
    stack: StackOption = None,
) -> None:
    """Say what became of cold sends. Put on record with your name; nothing is sent again."""
    if outcome not in OUTCOMES:
        text = f"--as is one of: {', '.join(OUTCOMES)}"
        raise CommandError(text)
    if bool(send) == bool(message):
        raise CommandError("name the sends, or their message with --message")
    with _dispatcher(stack) as dispatcher:
        ids = send or [one["send_id"] for one in _unknown(dispatcher, message, warm=False)]
        if not ids:
            raise CommandError("nothing to settle: no send of this message waits for you")
        settled = sum(_settled(dispatcher, send_id, outcome, reason) for send_id in ids)
    say(f"Settled as {outcome}: {counted(settled, 'send')}.")
    if settled < len(ids):
        message = f"{counted(len(ids) - settled, 'send')} of {len(ids)} not settled, as said above"
        raise CommandError(message)


def _settled(dispatcher: Api, send_id: str, outcome: str, reason: str) -> bool:
    """Settle one; where there is nothing to settle, say so, and let the others have their turn."""
    try:
        dispatcher.post(f"/v1/sends/{send_id}/settle", {"outcome": outcome, "reason": reason})
    except RefusedError as refused:
        if refused.status not in _OWN_MATTER:
            raise
        say(f"{send_id}: {refused}")
        return False
    return True


def _dispatcher(stack: StackOption) -> Api:
    return connect(stack).api("dispatcher", "operator")


def _unknown(dispatcher: Api, message: str | None, *, warm: bool) -> list[dict[str, str]]:
    """List the cold ones, and the warm ones that a recovery left: nobody else can settle them."""
    return [
        one
        for lane in ("cold", "warm")
        for one in dispatcher.pages("/v1/sends/unknown", message_id=message, lane=lane)
        if warm or lane == "cold" or one["reason"] == _RESTORED
    ]
