"""`buurtbode up` and `demo`: the whole stack on this machine, with no Docker and no Java."""

from pathlib import Path
from typing import Annotated

import typer

from cli.connection import StackFile

_KEYS = "keys"


def keys_folder(data: Path) -> Path:
    """Name the folder with the demo officers' private keys."""
    return data / _KEYS


def up(
    *,
    data: Annotated[
        Path, typer.Option("--data", help="The folder that keeps everything over a restart.")
    ] = Path("data"),
    with_demo_data: Annotated[
        bool,
        typer.Option(
            "--with-demo-data",
            help="The first time, load three networks with 120 invented people into zone 'demo'.",
        ),
    ] = False,
    kafka: Annotated[
        str | None,
        typer.Option(
            "--kafka",
            metavar="[USER:PASSWORD@]HOST:PORT",
            help="Use this Kafka in place of an own one, as its superuser.",
        ),
    ] = None,
    mongo: Annotated[
        str | None,
        typer.Option("--mongo", metavar="URL", help="Use this MongoDB in place of an own one."),
    ] = None,
) -> None:
    """Run everything on this machine until Ctrl-C: services, Kafka, MongoDB and a sandbox.

    No SMS and no mail leaves the machine: the sandbox takes them all. Addresses and ready-made
    tokens are printed and stand in DATA/stack.json; with the demo's people, the officers' keys
    are in DATA/keys.
    """
    # only here: whoever sends alerts to a cluster has neither Java nor a database installed
    from cli import demo_data  # noqa: PLC0415
    from deploy.local.options import UpOptions  # noqa: PLC0415
    from deploy.local.stack import Stack  # noqa: PLC0415
    from deploy.local.up import up as run  # noqa: PLC0415

    def load(stack: Stack) -> None:
        demo_data.load(StackFile.model_validate(stack.model_dump()), keys_folder(data))

    raise typer.Exit(run(UpOptions(data, kafka, mongo), load if with_demo_data else None))


def demo() -> None:
    """Tell the whole story once, in under a minute: alert, SMS, bulletin, mail, proof.

    Starts everything on this machine in a temporary folder, with invented people, and takes it
    all down again. No SMS and no mail leaves the machine.
    """
    from cli.demo_stack import run_demo  # noqa: PLC0415 - as above

    run_demo()
