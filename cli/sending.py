"""From a signed record to its verdict, said in words."""

from pathlib import Path
from typing import Annotated

import typer

from cli import drafts
from cli.connection import Connection
from cli.console import counted, say
from cli.failures import CommandError, UnclearError
from cli.police import PoliceClient
from deploy.kafka_admin import police_user
from shared.contracts import Verdict
from shared.contracts.dispatcher import VerdictKind
from shared.records import Outgoing

WaitOption = Annotated[
    float,
    typer.Option("--wait", min=1, help="How many seconds to wait for the verdict."),
]
DEFAULT_WAIT_S = 30.0


def send(record: Outgoing, connection: Connection, within: float) -> Verdict:
    """Publish, wait for the verdict and give it. Raises `CommandError` unless it is accepted.

    Where nobody can tell what became of it, the record is kept in a file, to be sent again as it
    is: written anew, it would be another message, which everybody gets as well.
    """
    try:
        verdict = judged(record, connection, within)
    except UnclearError as unclear:
        kept = Path(f"unconfirmed-{dict(record.headers)['ce_id'].decode()}.json")
        drafts.write(record, kept)
        message = f"{unclear} {once(kept)}"
        raise CommandError(message, unclear.exit_code) from None
    if verdict.verdict is not VerdictKind.ACCEPTED:
        raise CommandError(refusal(verdict))
    for line in acceptance(verdict):
        say(line)
    return verdict


def judged(record: Outgoing, connection: Connection, within: float) -> Verdict:
    """Publish and give the verdict, whatever it is. Raises `CommandError`, `UnclearError`."""
    with PoliceClient(connection.kafka(police_user(record.key))) as police:
        return police.verdict(police.publish(record), within)


def once(kept: Path) -> str:
    """Say how a record that was kept is sent again."""
    return f"Send it again only with 'buurtbode resend {kept}': then it goes out once."


def acceptance(verdict: Verdict) -> list[str]:
    """Say what was accepted, and who is left out."""
    reach = counted(len(verdict.network_ids), "network")
    if verdict.people is not None:
        reach += f", {counted(verdict.people, 'person', 'people')}"
    lines = [f"Accepted: {verdict.message_id} ({reach})."]
    lines += [
        f"  left out: {left.network_id} ({str(left.reason).replace('_', ' ')})"
        for left in verdict.left_out
    ]
    return lines


def refusal(verdict: Verdict) -> str:
    """Say why nothing is sent."""
    kind = str(verdict.verdict).capitalize()
    code = f" [{verdict.reason}]" if verdict.reason is not None else ""
    left = "".join(f"\n  {item.network_id}: {item.reason}" for item in verdict.left_out)
    return f"{kind}: {verdict.explanation}{code}{left}"
