"""What a closing statement is held against."""

import hashlib
from collections.abc import Iterable


def digest(event_ids: Iterable[str]) -> str:
    """Give the SHA-256 over sorted event ids, each followed by a line feed, hexadecimal."""
    joined = "".join(f"{event_id}\n" for event_id in sorted(event_ids))
    return hashlib.sha256(joined.encode()).hexdigest()
