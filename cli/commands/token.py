"""`buurtbode token`: a bearer token of the local stack's issuer."""

from datetime import timedelta
from typing import Annotated

import typer

from cli.connection import StackOption, connect
from cli.failures import CommandError


def token(
    *,
    role: Annotated[
        list[str],
        typer.Option(
            "--role",
            help="police, coordinator, auditor, municipality, federal, operator or admin; repeat "
            "for more.",
        ),
    ],
    sub: Annotated[str, typer.Option("--sub", help="Whose token it is, such as 'officer-1'.")],
    zone: Annotated[
        str | None, typer.Option("--zone", help="The police zone that it is for.")
    ] = None,
    municipality: Annotated[
        str | None, typer.Option("--municipality", help="For a municipality: its NIS code.")
    ] = None,
    hours: Annotated[int, typer.Option("--hours", min=1, help="How long it is valid.")] = 720,
    stack: StackOption = None,
) -> None:
    """Print a token for the local stack, to call its services as somebody (for trying out)."""
    # only here: an officer's machine need not have the local stack installed, and a web framework
    # takes half a second to import
    from deploy.local.stack import NoStackError, issuer_of  # noqa: PLC0415
    from shared.access import Role  # noqa: PLC0415

    known = [str(one) for one in Role]
    for name in role:
        if name not in known:
            message = f"--role {name!r} is not one of {', '.join(known)}"
            raise CommandError(message)
    try:
        issuer = issuer_of(connect(stack).folder)
    except NoStackError as error:
        raise CommandError(str(error)) from None
    typer.echo(
        issuer.mint(role, sub=sub, zone=zone, municipality=municipality, ttl=timedelta(hours=hours))
    )
