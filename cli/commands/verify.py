"""`buurtbode verify`: check a bundle of the audit log, offline."""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import say
from cli.failures import WRONGLY_CALLED, CommandError
from cli.logkey import LOG_KEY
from services.audit.verify import Unusable, verify_file


def verify(
    bundle: Annotated[Path, typer.Argument(help="The bundle, as the audit service gave it.")],
    *,
    key: Annotated[str | None, LOG_KEY] = None,
    kept: Annotated[
        list[Path] | None,
        typer.Option(
            "--kept",
            help="A checkpoint or a bundle you kept from before: proves that nothing was "
            "rewritten since, and names the entry where it was. Repeat for more.",
        ),
    ] = None,
    former: Annotated[
        list[str] | None,
        typer.Option(
            "--former-key",
            help="The log's public key of before, where it changed: only what you kept counts by "
            "it. Repeat for more.",
        ),
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(
            "--witness",
            help="The key of a witness who must have cosigned one of these checkpoints, as "
            "'buurtbode witness' prints it, or a file that holds it. Repeat for more.",
        ),
    ] = None,
) -> None:
    """Check that an audit log is whole and unchanged (for an auditor). Needs no network.

    Ends with 0 only where the key proves who signed it; 1 where something is wrong with the log,
    and says what; 2 where nothing is proved: it is consistent with itself but no key was given, or
    a key or a file that was named is none.
    """
    try:
        code, said = verify_file(bundle, key, kept or (), witness or (), former or ())
    except OSError as error:
        message = f"cannot read {error.filename} ({error.strerror})"
        raise CommandError(message, WRONGLY_CALLED) from None
    except Unusable as unusable:
        raise CommandError(str(unusable), WRONGLY_CALLED) from None
    for line in said:
        say(line)
    raise typer.Exit(code)
