"""The bundle: a whole log up to a signed checkpoint, as one NDJSON file.

Line 1 is `{"checkpoint", "origin", "public_key", "size"}`, then one line per entry, in order:
`{"entry", "private", "salt"}`, the last two null once erased. Every line is canonical JSON and ends
in a line feed, so that a bundle has one form and no byte of it is free.
"""

import re
from dataclasses import dataclass
from typing import Any, cast

import orjson

from services.audit.domain.canonical import canonical, canonical_loaded
from services.audit.domain.entries import FIELDS, LASTING, private_hash

_HEADER_KEYS = {"checkpoint", "origin", "public_key", "size"}
_LINE_KEYS = {"entry", "private", "salt"}
_SALT = re.compile(r"[0-9a-f]{64}")
_LASTING = tuple(LASTING)
_MOST = 2**53 - 1
"""Beyond it, a JSON number is no exact one."""


class BundleRefused(ValueError):  # noqa: N818 - a verdict on the input
    """A line that is not what a bundle consists of; the message says how."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line."""

    origin: str
    size: int
    checkpoint: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Line:
    """One entry's line, checked by itself."""

    entry: dict[str, Any]
    body: bytes
    erased: bool


def header_line(header: Header) -> bytes:
    """Write the first line."""
    return (
        canonical(
            {
                "origin": header.origin,
                "size": header.size,
                "checkpoint": header.checkpoint,
                "public_key": header.public_key,
            }
        )
        + b"\n"
    )


def entry_line(body: bytes, part: bytes | None, salt: bytes | None) -> bytes:
    """Write an entry's line from canonical parts."""
    if part is None or salt is None:
        return b'{"entry":' + body + b',"private":null,"salt":null}\n'
    tail = b',"salt":"' + salt.hex().encode() + b'"}\n'
    return b'{"entry":' + body + b',"private":' + part + tail


def read_header(line: bytes) -> Header:
    """Read the first line. Raises `BundleRefused`."""
    values = _object(line, _HEADER_KEYS)
    origin, size = values["origin"], values["size"]
    checkpoint, key = values["checkpoint"], values["public_key"]
    if not (isinstance(origin, str) and isinstance(checkpoint, str) and isinstance(key, str)):
        raise BundleRefused("a value of the first line is not a text")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _MOST:
        raise BundleRefused("the size is not a number of entries")
    header = Header(origin, size, checkpoint, key)
    if header_line(header) != line:
        raise BundleRefused("the line is not in canonical form")
    return header


def read_line(line: bytes) -> Line:
    """Read an entry's line and check it by itself. Raises `BundleRefused`."""
    values = _object(line, _LINE_KEYS)
    entry, private, salt = values["entry"], values["private"], values["salt"]
    if not isinstance(entry, dict) or cast("dict[str, Any]", entry).keys() != FIELDS:
        raise BundleRefused("the entry does not have an entry's fields")
    fields = cast("dict[str, Any]", entry)
    body, part, raw_salt = _canonical(fields), None, None
    if private is not None or salt is not None:
        if not isinstance(salt, str) or not _SALT.fullmatch(salt) or private is None:
            raise BundleRefused("the private part or its salt is missing or malformed")
        part, raw_salt = _canonical(private), bytes.fromhex(salt)
        if private_hash(raw_salt, part) != fields["private"]:
            raise BundleRefused("the private part is not the one that the entry commits to")
    if entry_line(body, part, raw_salt) != line:
        raise BundleRefused("the line is not in canonical form")
    erased = part is None and fields["private"] is not None
    if erased and fields["type"] in _LASTING:
        raise BundleRefused("a private part is missing that nothing erases")
    return Line(fields, body, erased)


def _object(line: bytes, keys: set[str]) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise BundleRefused("the line does not end: the file was cut off")
    try:
        values: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise BundleRefused("the line is not JSON") from None
    if not isinstance(values, dict) or cast("dict[str, Any]", values).keys() != keys:
        raise BundleRefused("the line does not have its fields")
    return cast("dict[str, Any]", values)


def _canonical(value: object) -> bytes:
    try:
        return canonical_loaded(value)
    except (ValueError, RecursionError):
        raise BundleRefused("a value has no canonical form") from None
