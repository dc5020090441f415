"""`buurtbode topics`, `client` and `dlq`: what an operator does to the Kafka cluster."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from cli.connection import STACK_FILE, Connection, StackOption, connect
from cli.console import say, table
from cli.failures import CommandError
from deploy import kafka_admin
from shared.contracts import DeadLetter
from shared.envelope import parse
from shared.failures import Rejected
from shared.settings import KafkaSettings
from shared.topics import DLQ_SUFFIX, TOPICS

topics = typer.Typer(help="The topics of the cluster (for an operator).", no_args_is_help=True)
client = typer.Typer(
    help="The police zones' Kafka clients (for an operator).", no_args_is_help=True
)
dlq = typer.Typer(
    help="Records that a service had to give up (for an operator).", no_args_is_help=True
)

ZoneOption = Annotated[str, typer.Option("--zone", help="The police zone, such as 'demo'.")]
_WAIT_S = 10.0


@topics.command("apply")
def apply(
    *,
    replication: Annotated[
        int,
        typer.Option("--replication", min=1, max=5, help="Copies of a new topic; a cluster has 3."),
    ] = 1,
    stack: StackOption = None,
) -> None:
    """Make the cluster what the table of topics says: topics, settings and permissions.

    Safe to repeat. Permissions on our topics that the table does not have are taken away.
    """
    with _explained():
        changes = kafka_admin.apply_topics(_operator(connect(stack)), replication)
    for what, names in (
        ("created", changes.topics_created),
        ("corrected", changes.topics_altered),
        ("allowed", changes.acls_added),
        ("no longer allowed", changes.acls_removed),
    ):
        for name in names:
            say(f"{what}: {name}")
    if not changes:
        say("Nothing to do: the cluster is as the table says.")


@dlq.command("list")
def list_dead_letters(*, stack: StackOption = None) -> None:
    """List what the services gave up: where the record stands and why, never what it says."""
    letters = _dead_letters(_operator(connect(stack)))
    if not letters:
        say("Nothing: no service has given up a record.")
        return
    rows = [
        (
            letter.at.isoformat(timespec="seconds"),
            letter.consumer,
            f"{letter.source_topic}/{letter.source_partition}/{letter.source_offset}",
            letter.reason,
            letter.field or "",
        )
        for letter in sorted(letters, key=lambda letter: letter.at)
    ]
    table(None, ("when", "given up by", "record", "reason", "field"), rows)


def _dead_letters(operator: KafkaSettings) -> list[DeadLetter]:
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


@client.command("add")
def add(*, zone: ZoneOption, stack: StackOption = None) -> None:
    """Give a zone's police its Kafka client, or its client a new password.

    It may write alerts and proposals (so much a second and no more) and read verdicts, and
    nothing else. The password is shown once; a local stack keeps it in its file.
    """
    from deploy.local.stack import add_kafka_user  # noqa: PLC0415 - only with the extra `local`

    connection = connect(stack)
    operator = _operator(connection)
    with _explained():
        password = kafka_admin.add_police_client(operator, zone)
        user = kafka_admin.police_user(zone)
    _limit(operator, user)
    if connection.path is not None and connection.path.name == STACK_FILE:
        add_kafka_user(connection.folder, user, password)
    say(f"user:     {user}")
    say(f"password: {password}")


@client.command("revoke")
def revoke(*, zone: ZoneOption, stack: StackOption = None) -> None:
    """Take a zone's police client its permissions and its password, at once."""
    from deploy.local.stack import remove_kafka_user  # noqa: PLC0415 - only with the extra `local`

    connection = connect(stack)
    with _explained():
        known = kafka_admin.revoke_client(_operator(connection), zone)
        user = kafka_admin.police_user(zone)
    if connection.path is not None and connection.path.name == STACK_FILE:
        remove_kafka_user(connection.folder, user)
    if not known:
        message = f"zone {zone} has no client"
        raise CommandError(message)
    say(f"Revoked: {user} may no longer connect.")


def _limit(operator: KafkaSettings, user: str) -> None:
    """Set the produce quota, for which there is no Python client, only Kafka's own tool."""
    from deploy.kafka_quota import set_produce_quota  # noqa: PLC0415 - needs the extra `local`
    from deploy.local.java import JavaProgramError  # noqa: PLC0415
    from deploy.local.kafka_runtime import kafka_runtime  # noqa: PLC0415

    try:
        set_produce_quota(operator, kafka_runtime(), user)
    except JavaProgramError as error:
        message = f"{user} was made, but its produce quota could not be set: {error}"
        raise CommandError(message) from None


@contextmanager
def _explained() -> Generator[None]:
    try:
        yield
    except (
        kafka_admin.KafkaUnreachableError,
        kafka_admin.BadZoneIdError,
        kafka_admin.TopicMismatchError,
    ) as error:
        raise CommandError(str(error)) from None
    except KafkaException as error:
        message = f"Kafka refused: {error.args[0]}. Is this user the cluster's operator?"
        raise CommandError(message) from None


def _operator(connection: Connection) -> KafkaSettings:
    return connection.kafka(kafka_admin.OPERATOR)
