"""The SMS that the sandbox accepted: what the provider knows of them and what the phones got."""

import secrets
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from deploy.local.sandbox.journal import Entry, Journal

FINAL = frozenset({"delivered", "undelivered", "failed"})


@dataclass(frozen=True, slots=True)
class Sms:
    """One accepted message. Times are ISO 8601 in UTC; `status` is Twilio's word."""

    sid: str
    account: str
    to: str
    sender: str | None
    service: str | None
    body: str
    callback: str | None
    segments: int
    at: str
    status: str
    changed: str
    sent: str | None = None
    error: int | None = None
    undeliverable: int | None = None
    """The code with which it will turn out undelivered."""

    trace: str | None = None
    """W3C Trace Context, as the request had it."""

    redacted: str | None = None
    """The body that the provider still has after it was asked to drop it; None: all of it."""


def utc_now() -> str:
    """Give the time, in UTC, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_sid() -> str:
    """Make an identifier as Twilio's: `SM` and 32 hexadecimal digits."""
    return f"SM{secrets.token_hex(16)}"


class Phones:
    """All accepted SMS, in order, kept in a journal."""

    def __init__(self, journal: Journal) -> None:
        """Read back what an earlier run accepted."""
        self._journal = journal
        self._by_sid: dict[str, Sms] = {}
        self._by_number: defaultdict[str, list[str]] = defaultdict(list)
        self._dropped: set[str] = set()
        self._opted_out: set[str] = set()
        for entry in journal.entries():
            self._replay(entry)

    def accept(self, sms: Sms) -> None:
        """Take a message; it is on disk when this returns."""
        self._journal.add({"what": "accepted", "sms": asdict(sms)})
        self._remember(sms)

    def change(self, sid: str, status: str, error: int | None = None) -> Sms | None:
        """Give a message another status; None when it was cleared away meanwhile."""
        return self._change({"what": "changed", "sid": sid, "status": status, "error": error})

    def get(self, sid: str) -> Sms | None:
        """Give an accepted message, whatever the provider still has of it."""
        return self._by_sid.get(sid)

    def find(self, account: str, sid: str) -> Sms | None:
        """Find what the provider still has of a message of this account."""
        sms = self._by_sid.get(sid)
        return sms if sms and sms.account == account and sid not in self._dropped else None

    def search(self, account: str, to: str | None = None) -> Iterator[Sms]:
        """Give what the provider still has, newest first."""
        sids = self._by_number.get(to, []) if to else list(self._by_sid)
        found = (self.find(account, sid) for sid in reversed(sids))
        return (sms for sms in found if sms)

    def drop(self, sid: str) -> None:
        """Drop the provider's copy; what a phone received stays on the phone."""
        self._journal.add({"what": "dropped", "sid": sid})
        self._dropped.add(sid)

    def redact(self, sid: str) -> Sms | None:
        """Drop the text of the provider's copy."""
        return self._change({"what": "redacted", "sid": sid})

    def opt_out(self, number: str) -> None:
        """Note that this number replied STOP."""
        self._journal.add({"what": "stopped", "number": number})
        self._opted_out.add(number)

    def opted_out(self, number: str) -> bool:
        """Say whether this number replied STOP."""
        return number in self._opted_out

    def unfinished(self) -> list[Sms]:
        """Give the messages whose final status is still to come."""
        return [sms for sms in self._by_sid.values() if sms.status not in FINAL]

    def clear(self) -> None:
        """Forget everything."""
        self._journal.clear()
        self._by_sid.clear()
        self._by_number.clear()
        self._dropped.clear()
        self._opted_out.clear()

    def shown(self) -> list[dict[str, Any]]:
        """Give what was accepted, in order, as `GET /sms` shows it."""
        return [
            {
                "sid": sms.sid,
                "to": sms.to,
                "from": sms.sender or sms.service,
                "body": sms.body,
                "at": sms.at,
                "status": sms.status,
                "account": sms.account,
                "trace": sms.trace,
            }
            for sms in self._by_sid.values()
        ]

    def _remember(self, sms: Sms) -> None:
        self._by_sid[sms.sid] = sms
        self._by_number[sms.to].append(sms.sid)

    def _change(self, entry: Entry) -> Sms | None:
        if entry["sid"] not in self._by_sid:
            return None
        entry["at"] = utc_now()
        self._journal.add(entry)
        return self._apply(entry)

    def _apply(self, entry: Entry) -> Sms:
        sms = self._by_sid[entry["sid"]]
        if entry["what"] == "redacted":
            sms = replace(sms, redacted="", changed=entry["at"])
        else:
            sent = entry["at"] if entry["status"] == "sent" else sms.sent
            sms = replace(
                sms, status=entry["status"], error=entry["error"], sent=sent, changed=entry["at"]
            )
        self._by_sid[sms.sid] = sms
        return sms

    def _replay(self, entry: Entry) -> None:
        match entry["what"]:
            case "accepted":
                self._remember(Sms(**entry["sms"]))
            case "dropped":
                self._dropped.add(entry["sid"])
            case "stopped":
                self._opted_out.add(entry["number"])
            case _:
                self._apply(entry)
