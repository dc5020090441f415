"""The shapes of the answers."""

import base64
from typing import Annotated, Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, Field

from services.audit.store.log import Stored
from shared.http import View

T = TypeVar("T", bound=View)


class Page(BaseModel, Generic[T]):  # no `View`, see there
    """One page of a list."""

    items: list[T]
    next: Annotated[
        int | None, Field(description="The cursor of the page that follows; null at the end.")
    ]


class EntryView(View):
    """One entry of a log, exactly as it is hashed; null where a field does not apply.

    Its canonical JSON (RFC 8785) is the leaf of the tree: SHA-256 over the byte 0x00 and that.
    """

    index: int
    """Its place in the log, from 0, without gaps."""

    event_id: str
    """The event that it tells of: each is an entry once."""

    time: str
    """When it happened: RFC 3339, UTC, always with three digits of milliseconds."""

    type: str
    """What it tells of, such as `send`, `verdict`, `access` or `erasure`."""

    zone_id: str
    """The zone whose log it stands in; `-` in the operators' log."""

    message_id: str | None
    """The alert's, bulletin's or notice's id."""

    send_id: str | None
    """The send: one message to one destination."""

    seq: int | None
    """Which change of the send it is; the greatest is the latest."""

    network_ids: list[str]
    lane: str | None
    """`warm` is urgent, `cold` is not."""

    channel: str | None
    """`sms` or `email`."""

    state: str | None
    """What came of it: a send's state, a verdict, what somebody did."""

    reason: str | None
    """A code; of an access what was done, such as `member.list`."""

    attempt: int | None
    """How often the send was attempted by then."""

    language: str | None
    template: str | None
    """What kind of text was sent."""

    segments: int | None
    """Parts of an SMS, each of which is paid for."""

    basis: dict[str, Any] | None
    """The legal basis, and the versions of house rules and communication plan by network."""

    actor: str | None
    """A pseudonym of who did it, or `system`, or `operator`."""

    private: str | None
    """SHA-256 over the salt and the canonical private part, in hexadecimal."""


class FullEntryView(View):
    """An entry with its private part, where that has not been erased."""

    entry: EntryView
    private: dict[str, Any] | None
    """What stands beside the log; null where there never was any, or it was erased or ended."""

    salt: str | None
    """32 bytes in hexadecimal."""


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
