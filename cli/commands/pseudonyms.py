"""`buurtbode pseudonyms`: the keys that make recipients unrecognisable in the audit log."""

from pathlib import Path
from typing import Annotated

import typer

from cli.connection import StackOption, connect
from cli.console import interactive, say
from cli.failures import CommandError
from shared.clock import Clock
from shared.pseudonyms import NoPseudonymKey
from shared.pseudonyms import destroy as destroy_key
from shared.pseudonyms import rotate as make_missing

app = typer.Typer(
    help="The keys that turn phone numbers and addresses into pseudonyms (for an operator).",
    no_args_is_help=True,
)

RingOption = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        envvar="BUURTBODE_PSEUDONYM_KEYS",
        help="The key ring's file. [default: that of the local stack]",
        show_default=False,
    ),
]


def ring_of(folder: Path) -> Path:
    """Name the key ring of a local stack."""
    return folder / "secrets" / "pseudonyms.json"


@app.command("rotate")
def rotate(
    *,
    zone: Annotated[
        list[str], typer.Option("--zone", help="A police zone; name several if you like.")
    ],
    keys: RingOption = None,
    stack: StackOption = None,
) -> None:
    """Make the missing keys of this year and the next. Never changes a key that is there.

    Run it before a zone's first network is activated, and once in every year after that.
    """
    made = make_missing(_ring(keys, stack), zone, Clock().now().year)
    for zone_id, year in made:
        say(f"Made the key of zone {zone_id} for {year}.")
    if not made:
        say("Nothing to do: this year and the next have their keys.")


@app.command("destroy")
def destroy(
    *,
    zone: Annotated[str, typer.Option("--zone", help="The police zone.")],
    year: Annotated[int, typer.Option("--year", help="The year whose key goes.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    keys: RingOption = None,
    stack: StackOption = None,
) -> None:
    """Destroy a year's key for good: its pseudonyms then point to nobody, not even for you."""
    ring = _ring(keys, stack)
    if not yes:
        if not interactive():
            raise CommandError("this cannot be undone: add --yes where nobody can be asked")
        typer.confirm(f"Destroy the key of zone {zone} for {year}, for good?", abort=True)
    try:
        destroy_key(ring, zone, year)
    except NoPseudonymKey:
        message = f"there is no key of zone {zone} for {year} in {ring}"
        raise CommandError(message) from None
    say(f"Destroyed. No pseudonym of zone {zone} from {year} leads to a person any more.")


def _ring(keys: Path | None, stack: Path | None) -> Path:
    return keys or ring_of(connect(stack).folder)
