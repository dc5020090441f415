"""The `buurtbode` command: names each command and its help; the modules do the rest."""

import importlib
import sys

import typer

from cli.console import complain
from cli.failures import CommandError

_POLICE = "For the police"
_AUDIT = "For auditors"
_OPERATORS = "For operators"
_HERE = "On this machine"

_COMMANDS = {
    "alert": (_POLICE, "alert:alert"),
    "approve": (_POLICE, "alert:approve"),
    "resend": (_POLICE, "resend:resend"),
    "bulletin": (_POLICE, "bulletin:bulletin"),
    "coverage": (_POLICE, "coverage:coverage"),
    "keys": (_POLICE, "keys:app"),
    "bundle": (_AUDIT, "bundle:bundle"),
    "verify": (_AUDIT, "verify:verify"),
    "verify-entry": (_AUDIT, "verify_entry:verify_entry"),
    "witness": (_AUDIT, "witness:witness"),
    "demo": (_HERE, "up:demo"),
    "up": (_HERE, "up:up"),
    "token": (_HERE, "token:token"),
    "status": (_OPERATORS, "service:status"),
    "republish": (_OPERATORS, "service:republish"),
    "recover": (_OPERATORS, "recover:recover"),
    "topics": (_OPERATORS, "cluster:topics"),
    "client": (_OPERATORS, "cluster:client"),
    "dlq": (_OPERATORS, "dlq:app"),
    "sends": (_OPERATORS, "sends:app"),
    "pseudonyms": (_OPERATORS, "pseudonyms:app"),
}
"""Each with the panel of the help that it stands in, and its module and name there."""


def application(wanted: str | None = None) -> typer.Typer:
    """Build the command line; if `wanted` is a command, with nothing else.

    Importing what all of them need takes a second, which an officer would wait for each time.
    """
    app = typer.Typer(
        help="Messages from the police to neighbourhood information networks (BIN/PLP).",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_has_commands)
    for name in [wanted] if wanted in _COMMANDS else _COMMANDS:
        panel, place = _COMMANDS[name]
        module, _, attribute = place.partition(":")
        command = getattr(importlib.import_module(f"cli.commands.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(command)
    return app


def _has_commands() -> None:
    # without a callback, an application of one command would not be asked for it by name
    pass


def main() -> None:
    """Run a command. What it cannot do, it says in a sentence, and ends with a code above 0."""
    try:
        application(next((given for given in sys.argv[1:] if not given.startswith("-")), None))()
    except CommandError as error:
        complain(str(error))
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
