"""`buurtbode resend`: the very same bytes once more, of which nobody knows whether they arrived."""

from pathlib import Path
from typing import Annotated

import typer

from cli import drafts
from cli.connection import StackOption, connect
from cli.console import say
from cli.failures import CommandError, UnclearError
from cli.sending import DEFAULT_WAIT_S, WaitOption, acceptance, judged, once, refusal
from shared.contracts.dispatcher import VerdictKind


def resend(
    kept: Annotated[Path, typer.Argument(help="The file that 'alert' or 'bulletin' named.")],
    *,
    wait: WaitOption = DEFAULT_WAIT_S,
    stack: StackOption = None,
) -> None:
    """Send again what may not have arrived. It goes out once, however often it is sent.

    Says whether it had been accepted before, or is now.
    """
    try:
        verdict = judged(drafts.read_record(kept), connect(stack), wait)
    except UnclearError as unclear:
        message = f"{unclear} {once(kept)}"
        raise CommandError(message, unclear.exit_code) from None
    if verdict.verdict is VerdictKind.DUPLICATE:
        say(f"It had arrived: {verdict.message_id} was accepted before, and goes out once.")
        return
    if verdict.verdict is not VerdictKind.ACCEPTED:
        raise CommandError(refusal(verdict))
    for line in acceptance(verdict):
        say(line)
