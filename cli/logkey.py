"""How an audit log's public key is named, by everything that checks a log."""

from typing import Any

import typer

LOG_KEY: Any = typer.Option(
    "--key",
    help="The log's public key, from a source you trust: a PEM file, or a verifier key.",
)
