"""`buurtbode recover`: let services go on after their databases were restored from a backup."""

from typing import Annotated

import typer

from cli.api import RefusedError
from cli.connection import SERVICES, Connection, Service, StackOption, connect
from cli.console import say
from cli.failures import FAILED, CommandError

_PATIENCE_S = 1800.0
"""A month of events takes minutes to read back."""

_NOTHING_TO_DO = 409


def recover(
    services: Annotated[
        list[str], typer.Argument(metavar="SERVICE...", help="registry, dispatcher, audit.")
    ],
    *,
    reason: Annotated[
        str, typer.Option("--reason", help="What happened; it is put on record. No names.")
    ],
    zone: Annotated[
        list[str] | None,
        typer.Option(
            "--zone",
            help="For audit: the zone whose log was restored ('operators' for the operators' "
            "own); repeat for more. 'buurtbode status' names them.",
            show_default=False,
        ),
    ] = None,
    stack: StackOption = None,
) -> None:
    """Let services go on whose databases are older than what they published.

    Such a service sends and signs nothing until then; 'buurtbode status' says so. It takes back
    from the topics what its database forgot. What may have been sent since the backup is looked
    up, and never sent again by itself: see 'buurtbode sends unknown' afterwards.
    """
    connection = connect(stack)
    wrong = [one for one in services if one not in SERVICES]
    if wrong:
        message = f"{wrong[0]} is no service: name some of {', '.join(SERVICES)}"
        raise CommandError(message)
    if "audit" in services and not zone:
        raise CommandError("the audit service recovers log by log: name the zones with --zone")
    failed = False
    # the registry first: the others read what it publishes again
    for service in SERVICES:
        if service not in services:
            continue
        bodies = [{"reason": reason}]
        if service == "audit":
            bodies = [{"reason": reason, "zone_id": one} for one in zone or ()]
        for body in bodies:
            failed |= not _recovered(connection, service, body)
    if failed:
        raise typer.Exit(FAILED)


def _recovered(connection: Connection, service: Service, body: dict[str, str]) -> bool:
    name = service if "zone_id" not in body else f"{service}, log {body['zone_id']}"
    with connection.api(service, "operator", timeout=_PATIENCE_S) as api:
        try:
            done = api.post("/v1/recover", body)
        except RefusedError as error:
            if error.status != _NOTHING_TO_DO:
                raise
            say(f"{name}: {error}")
            return False
    told = ", ".join(f"{what}: {value}" for what, value in done.items() if what != "zone_id")
    say(f"{name}: recovered ({told})")
    return True
