"""Bounces: the return path that names an attempt, and what a report about it says. Pure.

Each attempt has a return path of its own (VERP), so a bounce names its attempt, whatever the server
that reports makes of the rest. A report is RFC 3464, its codes are RFC 3463.
"""

from email import message_from_bytes, policy
from email.message import Message
from typing import cast

from services.dispatcher.domain.reasons import SendReason, enhanced
from shared.contracts.base import SendState

_STATES = {"failed": SendState.UNDELIVERED, "delivered": SendState.DELIVERED}
"""RFC 3464, 2.3.3; `delayed`, `relayed` and `expanded` tell nothing final."""


def return_path(address: str, attempt: str) -> str:
    """Give the envelope sender of one attempt: `bounces+ATTEMPT@domain`."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{attempt}@{domain}"


def attempt_of(address: str, recipient: str) -> str | None:
    """Give the attempt that a bounce's recipient names; None where it is not one of ours."""
    local, _, domain = address.lower().rpartition("@")
    found, _, at = recipient.lower().rpartition("@")
    name, plus, attempt = found.partition("+")
    return attempt if plus and attempt and (name, at) == (local, domain) else None


def read(report: bytes) -> tuple[SendState, SendReason | None] | None:
    """Give what a delivery status notification says became of a mail.

    None where it says nothing final, or is none: an automatic answer, for instance.
    """
    mail = message_from_bytes(report, policy=policy.compat32)
    if mail.get_content_type() != "multipart/report":
        return None
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            blocks = cast("list[Message]", part.get_payload())
            told = [found for block in blocks if (found := _recipient(block))]
            if told:
                return told[0]  # our mails have one recipient each
    return None


def _recipient(block: Message) -> tuple[SendState, SendReason | None] | None:
    action = str(block.get("Action", "")).strip().lower()
    state = _STATES.get(action)
    if state is None:
        return None
    if state is SendState.DELIVERED:
        return state, None
    code = str(block.get("Status", "")).split("(")[0].strip()
    return state, enhanced(code) or SendReason.UNKNOWN_CODE
