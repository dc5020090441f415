"""The `buurtbode` command: names each command and its help; the modules do the rest."""

import sys

import typer

from cli.commands import cluster, dlq, keys, pseudonyms, sends
from cli.commands.alert import alert, approve
from cli.commands.bulletin import bulletin
from cli.commands.coverage import coverage
from cli.commands.recover import recover
from cli.commands.service import republish, status
from cli.commands.token import token
from cli.commands.up import demo, up
from cli.commands.verify import verify
from cli.commands.witness import witness
from cli.console import complain
from cli.failures import CommandError

_POLICE = "For the police"
_AUDIT = "For auditors"
_OPERATORS = "For operators"
_HERE = "On this machine"


def application() -> typer.Typer:
    """Build the command line."""
    app = typer.Typer(
        help="Messages from the police to neighbourhood information networks (BIN/PLP).",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in (alert, approve, bulletin, coverage):
        app.command(rich_help_panel=_POLICE)(command)
    app.add_typer(keys.app, name="keys", rich_help_panel=_POLICE)
    for command in (verify, witness):
        app.command(rich_help_panel=_AUDIT)(command)
    for command in (demo, up, token):
        app.command(rich_help_panel=_HERE)(command)
    for command in (status, republish, recover):
        app.command(rich_help_panel=_OPERATORS)(command)
    app.add_typer(cluster.topics, name="topics", rich_help_panel=_OPERATORS)
    app.add_typer(cluster.client, name="client", rich_help_panel=_OPERATORS)
    app.add_typer(dlq.app, name="dlq", rich_help_panel=_OPERATORS)
    app.add_typer(sends.app, name="sends", rich_help_panel=_OPERATORS)
    app.add_typer(pseudonyms.app, name="pseudonyms", rich_help_panel=_OPERATORS)
    return app


def main() -> None:
    """Run a command. What it cannot do, it says in a sentence, and ends with a code above 0."""
    try:
        application()()
    except CommandError as error:
        complain(str(error))
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
