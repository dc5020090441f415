"""A draft: a signed record that was not sent yet, for a second officer to sign as well.

So is one that was sent, and of which nobody knows whether it arrived, to be sent again as it is.

The file has the shape of the contract's examples: topic, key, headers, and the value as the exact
text whose UTF-8 bytes were signed.
"""

import json
from pathlib import Path
from typing import Any, cast

from cli.failures import CommandError, cannot_read
from shared.contracts import Alert
from shared.envelope import parse
from shared.failures import Rejected
from shared.records import Outgoing


def write(record: Outgoing, path: Path) -> None:
    """Write a draft; raises `CommandError` rather than overwrite another."""
    members = {
        "topic": record.topic,
        "key": record.key,
        "headers": {name: value.decode() for name, value in record.headers},
        "value": record.value.decode(),
    }
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(members, file, indent=1, ensure_ascii=False)
            file.write("\n")
    except FileExistsError:
        message = f"{path} exists already and is not overwritten"
        raise CommandError(message) from None
    except OSError as error:
        message = f"cannot write {path} ({error.strerror})"
        raise CommandError(message) from None


def read(path: Path) -> tuple[Outgoing, Alert]:
    """Read a draft and what it says. Raises `CommandError`."""
    record = read_record(path)
    try:
        return record, parse(Alert, record.value)
    except Rejected:
        raise _other(path) from None


def read_record(path: Path) -> Outgoing:
    """Read a record, whatever it says. Raises `CommandError`."""
    try:
        members = cast("dict[str, Any]", json.loads(path.read_bytes()))
        return Outgoing(
            topic=str(members["topic"]),
            key=str(members["key"]),
            value=str(members["value"]).encode(),
            headers=tuple(
                (str(name), str(value).encode()) for name, value in members["headers"].items()
            ),
        )
    except OSError as error:
        raise CommandError(cannot_read(path, error)) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _other(path) from None


def _other(path: Path) -> CommandError:
    return CommandError(f"{path} is no file of 'buurtbode': neither a draft nor what to send again")
