"""`buurtbode dlq`: records that a service had to give up, and what an operator does about them."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from cli.api import Api, Json, RefusedError
from cli.connection import SERVICES, Connection, Service, StackOption, connect
from cli.console import say, table
from cli.failures import CommandError
from deploy import kafka_admin
from shared.contracts import DeadLetter
from shared.envelope import parse
from shared.failures import Rejected
from shared.settings import KafkaSettings
from shared.topics import DLQ_SUFFIX, TOPICS

app = typer.Typer(
    help="Records that a service had to give up (for an operator).", no_args_is_help=True
)

LetterArgument = Annotated[
    str, typer.Argument(metavar="LETTER", help="The letter's id, as 'dlq list' shows it.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is put on record. No names.")]

_WAIT_S = 10.0
_NOT_FOUND = 404
_COLUMNS = ("letter", "when", "reason", "field")


@app.command("list")
def list_letters(
    *,
    history: Annotated[
        bool,
        typer.Option("--history", help="Everything of the last 30 days, dealt with or not."),
    ] = False,
    stack: StackOption = None,
) -> None:
    """List what the services gave up and nobody dealt with: where it stands and why.

    What a record says is never shown. More than ten open ones on a topic of our own stop its
    consumer, since going on would hide a fault: replay or drop them.
    """
    connection = connect(stack)
    if history:
        letters = _past(connection.kafka(kafka_admin.OPERATOR))
        rows = [
            (one.event_id, one.at.isoformat(timespec="seconds"), one.reason, one.field or "")
            for one in sorted(letters, key=lambda one: one.at)
        ]
    else:
        rows = [
            (one["letter_id"], one["at"], one["reason"], one["field"] or "")
            for service in SERVICES
            for one in _open(connection, service)
        ]
    if not rows:
        say("Nothing: no record is given up.")
        return
    table(None, _COLUMNS, rows)


@app.command("show")
def show(letter: LetterArgument, *, stack: StackOption = None) -> None:
    """Show where one of them stands, who gave it up, and the hash of its bytes."""
    with _desk(connect(stack), letter) as (desk, path):
        for name, value in desk.get(path).items():
            say(f"{name}: {'' if value is None else value}")


@app.command("replay")
def replay(letter: LetterArgument, *, reason: ReasonOption, stack: StackOption = None) -> None:
    """Have the original read again and judged anew, as if it came now.

    An alert that has expired meanwhile is refused as expired. What is given up again stays open.
    """
    with _desk(connect(stack), letter) as (desk, path):
        desk.post(f"{path}/replay", {"reason": reason})
    say(f"Replayed: {letter}")


@app.command("drop")
def drop(letter: LetterArgument, *, reason: ReasonOption, stack: StackOption = None) -> None:
    """Let a record go for good: no consumer will handle it."""
    with _desk(connect(stack), letter) as (desk, path):
        desk.post(f"{path}/drop", {"reason": reason})
    say(f"Dropped: {letter}")


@contextmanager
def _desk(connection: Connection, letter: str) -> Generator[tuple[Api, str]]:
    """Give the service that holds a letter, whose id begins with it, and the letter's path."""
    name = letter.partition(".")[0]
    service: Service | None = next((one for one in SERVICES if one == name), None)
    if service is None:
        message = f"a letter's id begins with its service: {', '.join(SERVICES)}"
        raise CommandError(message)
    try:
        with connection.api(service, "operator") as api:
            yield api, f"/v1/dead-letters/{letter}"
    except RefusedError as error:
        if error.status != _NOT_FOUND:
            raise
        message = f"there is no open letter {letter}: 'buurtbode dlq list' shows them"
        raise CommandError(message) from None


def _open(connection: Connection, service: Service) -> list[Json]:
    with connection.api(service, "operator") as desk:
        return list(desk.pages("/v1/dead-letters"))


def _past(operator: KafkaSettings) -> list[DeadLetter]:
    options: dict[str, Any] = {
        **kafka_admin.client_settings(operator),
        "group.id": "operator.command-line",
        "enable.auto.commit": False,
    }
    consumer = Consumer(options)
    try:
        return _read_all(consumer)
    except KafkaException:
        message = f"Kafka at {operator.bootstrap} does not answer: 'buurtbode status' tells more"
        raise CommandError(message) from None
    finally:
        consumer.close()


def _read_all(consumer: Consumer) -> list[DeadLetter]:
    left: dict[tuple[str, int], int] = {}
    for name in (name for name in TOPICS if name.endswith(DLQ_SUFFIX)):
        for number in range(TOPICS[name].partitions):
            first, end = consumer.get_watermark_offsets(
                TopicPartition(name, number), timeout=_WAIT_S
            )
            if end > first:
                left[name, number] = end
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for name, number in left])
    letters: list[DeadLetter] = []
    while left:
        found = consumer.consume(500, timeout=_WAIT_S)
        if not found:
            raise CommandError("Kafka stopped answering before all of them were read: try again")
        for message in found:
            at = (message.topic() or "", message.partition() or 0)
            letters += _letter(message.value())
            if (message.offset() or 0) + 1 >= left.get(at, 0):
                left.pop(at, None)
    return letters


def _letter(value: bytes | None) -> list[DeadLetter]:
    try:
        return [parse(DeadLetter, value or b"")]
    except Rejected:
        return []  # written by nobody of ours; nothing to list
