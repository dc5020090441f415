"""Pseudonyms: HMAC-SHA-256 under a key of zone and year, from a key ring that one command writes.

Destroying a key makes its pseudonyms meaningless; so there is no default key and no fallback.
The file is JSON, `{"<zone_id>": {"<year>": "<64 hex digits>"}}`, readable by the services only.
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter

_LAST_MONTH = 12

_RING: TypeAdapter[dict[str, dict[int, str]]] = TypeAdapter(dict[str, dict[int, str]])


class NoPseudonymKey(LookupError):  # noqa: N818
    """The ring has no key for a zone and year: `buurtbode pseudonyms rotate` makes one."""

    def __init__(self, zone_id: str, year: int) -> None:
        """Name what is missing."""
        super().__init__(f"no pseudonym key for zone {zone_id}, year {year}")
        self.zone_id = zone_id
        self.year = year


class KeyRing:
    """The services' view of the key ring, read again whenever the file is another one.

    A key that is destroyed is gone for a running service at once, too; a look at the file costs a
    microsecond.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; it is read at the first use."""
        self._path = path
        self._keys: dict[str, dict[int, str]] = {}
        self._read: tuple[int, int, int] | None = None

    def key(self, zone_id: str, year: int) -> bytes:
        """Give a key. Raises `NoPseudonymKey`."""
        try:
            return bytes.fromhex(self._ring()[zone_id][year])
        except KeyError:
            raise NoPseudonymKey(zone_id, year) from None

    def has(self, zone_id: str, year: int) -> bool:
        """Tell whether there is a key."""
        try:
            self.key(zone_id, year)
        except NoPseudonymKey:
            return False
        return True

    def missing(self, today: date) -> list[tuple[str, int]]:
        """List zone and year of the keys that are missing, or will be within a month.

        Of zones that have a key of some year: any other has no active network yet, or gave up all
        of its keys.
        """
        soon = [today.year + 1] if today.month == _LAST_MONTH else []
        return [
            (zone_id, year)
            for zone_id, keys in sorted(self._ring().items())
            for year in (today.year, *soon)
            if keys and year not in keys
        ]

    def years(self, zone_id: str) -> list[int]:
        """List the years whose key still exists, oldest first."""
        return sorted(self._ring().get(zone_id, {}))

    def pseudonym(self, zone_id: str, year: int, value: str) -> str:
        """Give the pseudonym of a normalised destination or a token's subject, hexadecimal."""
        return hmac.new(self.key(zone_id, year), value.encode(), hashlib.sha256).hexdigest()

    def _ring(self) -> dict[str, dict[int, str]]:
        found = _version(self._path)
        if found is None or found != self._read:
            # what is written after this look is read at the next
            self._keys, self._read = read_ring(self._path), found
        return self._keys


def _version(path: Path) -> tuple[int, int, int] | None:
    """Tell one file from its successor: each is another file, renamed into place."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_ring(path: Path) -> dict[str, dict[int, str]]:
    """Read the ring; a file that does not exist yet is an empty ring."""
    try:
        return _RING.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}


def rotate(path: Path, zones: Iterable[str], year: int) -> list[tuple[str, int]]:
    """Make the missing keys of this year and the next, and give what was made."""
    ring = read_ring(path)
    made: list[tuple[str, int]] = []
    for zone_id in zones:
        for wanted in (year, year + 1):
            keys = ring.setdefault(zone_id, {})
            if wanted not in keys:
                keys[wanted] = secrets.token_hex(32)
                made.append((zone_id, wanted))
    if made:
        _write(path, ring)
    return made


def destroy(path: Path, zone_id: str, year: int) -> None:
    """Drop a key for good. Raises `NoPseudonymKey` where there is none."""
    ring = read_ring(path)
    if ring.get(zone_id, {}).pop(year, None) is None:
        raise NoPseudonymKey(zone_id, year)
    _write(path, ring)


def _write(path: Path, ring: Mapping[str, Mapping[int, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(ring, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
