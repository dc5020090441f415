"""`buurtbode topics` and `client`: what an operator does to the Kafka cluster."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer
from confluent_kafka import KafkaException

from cli.connection import STACK_FILE, Connection, StackOption, connect
from cli.console import say
from cli.failures import WRONGLY_CALLED, CommandError
from deploy import kafka_admin
from shared.settings import KafkaSettings
from shared.topics import Party

topics = typer.Typer(help="The topics of the cluster (for an operator).", no_args_is_help=True)
client = typer.Typer(
    help="The Kafka clients of police zones, and the witness's (for an operator).",
    no_args_is_help=True,
)

WITNESS = Party.WITNESS.value
QUOTA = "producer_byte_rate"
"""What Kafka calls the quota: bytes a second that a user may write."""

ZoneOption = Annotated[
    str | None,
    typer.Option("--zone", help="The police zone, such as 'demo'.", show_default=False),
]
WitnessOption = Annotated[
    bool,
    typer.Option(
        "--witness",
        help="In place of a zone: whoever watches the audit logs from outside with 'buurtbode "
        "witness --kafka'. It may read bin.checkpoints.",
    ),
]


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


@client.command("add")
def add(
    *, zone: ZoneOption = None, witness: WitnessOption = False, stack: StackOption = None
) -> None:
    """Give a zone's police, or the witness, a Kafka client, or the client a new password.

    The police may write alerts and proposals (so much a second and no more) and read verdicts, and
    nothing else; the witness may read what was published of the audit logs, which names nobody. The
    password is shown once; a local stack keeps it in its file.
    """
    user = _user(zone, witness=witness)
    connection = connect(stack)
    operator = _operator(connection)
    with _explained():
        if zone is None:
            password = kafka_admin.add_witness(operator)
        else:
            password = kafka_admin.add_police_client(operator, zone)
    if connection.path is not None and connection.path.name == STACK_FILE:
        from deploy.local.stack import add_kafka_user  # noqa: PLC0415 - only a local stack's file

        add_kafka_user(connection.folder, user, password)
    say(f"user:     {user}")
    say(f"password: {password}")
    if zone is not None:
        _limit(operator, user)


@client.command("revoke")
def revoke(
    *, zone: ZoneOption = None, witness: WitnessOption = False, stack: StackOption = None
) -> None:
    """Take a zone's police client, or the witness's, its permissions and password, at once."""
    user = _user(zone, witness=witness)
    connection = connect(stack)
    with _explained():
        known = kafka_admin.revoke_client(_operator(connection), user)
    if connection.path is not None and connection.path.name == STACK_FILE:
        from deploy.local.stack import remove_kafka_user  # noqa: PLC0415 - only a local stack's file

        remove_kafka_user(connection.folder, user)
    if not known:
        message = "there is no witness's client" if zone is None else f"zone {zone} has no client"
        raise CommandError(message)
    say(f"Revoked: {user} may no longer connect.")
    if zone is not None:
        _lift(_operator(connection), user)


def _user(zone: str | None, *, witness: bool) -> str:
    if witness == (zone is not None):
        message = "whose client? Name a zone with --zone, or the witness's with --witness"
        raise CommandError(message, WRONGLY_CALLED)
    with _explained():
        return WITNESS if zone is None else kafka_admin.police_user(zone)


def _limit(operator: KafkaSettings, user: str) -> None:
    complaint = f"{user} was made, but has no produce quota yet"
    with _by_kafkas_own_tool(complaint, user, f"--add-config {QUOTA}={kafka_admin.PRODUCE_QUOTA}"):
        from deploy.kafka_quota import set_produce_quota  # noqa: PLC0415 - needs the extra `local`
        from deploy.local.kafka_runtime import kafka_runtime  # noqa: PLC0415

        set_produce_quota(operator, kafka_runtime(), user)


def _lift(operator: KafkaSettings, user: str) -> None:
    complaint = f"{user} is revoked, but its produce quota stays"
    with _by_kafkas_own_tool(complaint, user, f"--delete-config {QUOTA}"):
        from deploy.kafka_quota import remove_produce_quota  # noqa: PLC0415 - the same
        from deploy.local.kafka_runtime import kafka_runtime  # noqa: PLC0415

        remove_produce_quota(operator, kafka_runtime(), user)


@contextmanager
def _by_kafkas_own_tool(complaint: str, user: str, change: str) -> Generator[None]:
    """Say how to go on where a quota could not be changed.

    No Python client can; Kafka's own tool does it, which comes with the extra `local` only.
    """
    try:
        yield
    except (ImportError, RuntimeError) as error:
        where = f"--entity-type users --entity-name {user}"
        message = (
            f"{complaint}: {error}. On a machine with Kafka's tools, run"
            f" `kafka-configs.sh --bootstrap-server ... --alter {change} {where}`."
        )
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
