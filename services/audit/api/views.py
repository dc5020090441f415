"""The shapes of the answers."""

import base64
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel

from services.audit.store.log import Stored

T = TypeVar("T", bound=BaseModel)


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: int | None
    """The cursor of the page that follows; null at the end."""


class EntryView(BaseModel):
    """One entry of a log, exactly as it is hashed; null where a field does not apply."""

    index: int
    event_id: str
    time: datetime
    type: str
    zone_id: str
    message_id: str | None
    send_id: str | None
    seq: int | None
    network_ids: list[str]
    lane: str | None
    channel: str | None
    state: str | None
    reason: str | None
    attempt: int | None
    language: str | None
    template: str | None
    segments: int | None
    basis: dict[str, Any] | None
    actor: str | None
    private: str | None
    """SHA-256 over the salt and the canonical private part."""


class FullEntryView(BaseModel):
    """An entry with its private part, where that has not been erased."""

    entry: EntryView
    private: dict[str, Any] | None
    salt: str | None


def entry_view(body: bytes) -> EntryView:
    """Show an entry, given as it was hashed."""
    return EntryView.model_validate_json(body)


def full_view(stored: Stored) -> FullEntryView:
    """Show an entry with its private part."""
    return FullEntryView(
        entry=entry_view(stored.body),
        private=None if stored.part is None else orjson.loads(stored.part),
        salt=None if stored.salt is None else stored.salt.hex(),
    )


def base64_of(hashes: list[bytes]) -> list[str]:
    """Write hashes as proofs have them."""
    return [base64.b64encode(value).decode() for value in hashes]
