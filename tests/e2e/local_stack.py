"""The real local stack as a test sees it: a child process, Kafka, HTTP and the command line."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from cli import demo_data, keyfile
from cli.api import Api
from cli.connection import Connection, Service, connect
from cli.police import PoliceClient, signed
from deploy.local.stack import Stack, read_stack
from shared.clock import Clock
from shared.contracts import Alert, Verdict
from shared.contracts.base import AlertKind, Status
from shared.contracts.dispatcher import VerdictKind
from shared.kafka import Outgoing
from shared.pseudonyms import KeyRing

ROOT = Path(__file__).parents[2]
ZONE = "demo"
Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


def until(look: Callable[[], T | None], within: float, what: str) -> T:
    """Wait for something, and fail naming it."""
    deadline = time.monotonic() + within
    while True:
        found = look()
        if found is not None:
            return found
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.1)


class LocalStack:
    """One running `buurtbode up`."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.said: list[str] = []
        """What `up` printed so far: it names each part that ended and came back."""

        self._sandbox = httpx.Client(base_url=self.stack().sandbox, timeout=10)

    def close(self) -> None:
        """Let go of what is open."""
        self._sandbox.close()

    def stack(self) -> Stack:
        """Read `stack.json` as it is now."""
        return read_stack(self.data)

    @property
    def connection(self) -> Connection:
        """Give what the command line would use."""
        return connect(self.data, {})

    def key_file(self, officer: str = "officer-1") -> Path:
        """Name an officer's private key."""
        return demo_data.key_path(self.data / "keys", officer)

    def key(self, officer: str = "officer-1") -> keyfile.SigningKey:
        """Read an officer's private key."""
        return keyfile.read(self.key_file(officer))

    def api(self, service: Service, token: str) -> Api:
        """Call a service as somebody."""
        return Api(service, self.connection.url(service), self.connection.token(token))

    def police(self, zone: str = ZONE) -> PoliceClient:
        """Connect to Kafka as a zone's police."""
        return PoliceClient(self.connection.kafka(f"police-{zone}"))

    def run(self, *arguments: object, stdin: str = "") -> Ran:
        """Run a command as its user does."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "BUURTBODE_STACK": str(self.data)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def converse(self, arguments: Sequence[object], answers: Mapping[str, str]) -> str:
        """Run a command on a terminal, answer its questions in their order, and give the screen.

        Fails where it ends with another code than 0, or before it has asked everything.
        """
        ours, theirs = os.openpty()
        child = subprocess.Popen(
            [sys.executable, "-m", "cli.main", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "BUURTBODE_STACK": str(self.data), "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        screen, left, read = "", dict(answers), 0
        try:
            while chunk := _chunk(ours):
                screen += chunk
                question = next(iter(left), None)
                if question is not None and question in screen[read:]:
                    read = len(screen)
                    os.write(ours, left.pop(question).encode() + b"\n")
        finally:
            os.close(ours)
            code = child.wait(timeout=30)
        assert (code, left) == (0, {}), screen
        return screen

    def sms(self, marker: str) -> list[Json]:
        """Give the SMS that hold a text, in the order of their acceptance."""
        found: list[Json] = self._sandbox.get("/sms").raise_for_status().json()
        return [sms for sms in found if marker in sms["body"]]

    def mail(self, subject: str) -> list[Json]:
        """Give the mails whose subject holds a text."""
        found: list[Json] = self._sandbox.get("/mail").raise_for_status().json()
        return [mail for mail in found if subject in mail["subject"]]

    def mailed(self, subject: str) -> list[str]:
        """Give the address of each mail whose subject holds a text."""
        to = [mail["to"] for mail in self.mail(subject)]
        return [one if isinstance(one, str) else one[0] for one in to]

    def misbehave(self, **fault: object) -> None:
        """Have the sandbox misbehave."""
        self._sandbox.post("/faults", json=fault).raise_for_status()

    def behave(self) -> None:
        """End all faults."""
        self._sandbox.delete("/faults").raise_for_status()

    def forget(self) -> None:
        """Clear the sandbox's lists: each look at them gives them whole."""
        for path in ("/sms", "/mail"):
            self._sandbox.delete(path).raise_for_status()

    def signal(self, part: str, number: signal.Signals) -> int:
        """Send a signal to a part, and give the pid that it had."""
        pid = self.stack().pids[part]
        os.kill(pid, number)
        return pid

    def kill(self, part: str) -> int:
        """End a part as the kernel would when memory runs out."""
        return self.signal(part, signal.SIGKILL)

    def wait_back(self, part: str, old: int, within: float = 30) -> float:
        """Wait until a killed part runs again, ready, and give how many seconds that took."""
        began = time.monotonic()
        deadline = began + within
        while self.stack().pids[part] == old:
            assert time.monotonic() < deadline, (part, self.said[-5:], self._log(part))
            time.sleep(0.05)
        return time.monotonic() - began

    def _log(self, part: str) -> str:
        return (self.data / "logs" / f"{part}.log").read_text(errors="replace")[-1500:]

    def wait_ready(self, within: float = 60) -> None:
        """Wait until every service says it is ready."""

        def ready() -> bool | None:
            return (
                all(self._is_ready(service) for service in ("registry", "dispatcher", "audit"))
                or None
            )

        until(ready, within, "every service is ready")

    def _is_ready(self, service: Service) -> bool:
        try:
            return httpx.get(f"{self.connection.url(service)}/readyz", timeout=3).is_success
        except httpx.HTTPError:
            return False

    def alert(self, marker: str, **fields: Any) -> Alert:
        """Make an alert of officer 1 to all three networks; `marker` is in its texts."""
        given: Json = {
            "alert_id": Clock().new_id(),
            "zone_id": ZONE,
            "network_ids": tuple(demo_data.network_ids()),
            "kind": AlertKind.ALERT,
            "status": Status.ACTUAL,
            "event": "burglary",
            "text": {"nl": f"Inbraak {marker}", "fr": f"Cambriolage {marker}"},
            "issued_by": "officer-1",
            "issued_at": datetime.now(UTC),
            **fields,
        }
        return Alert.model_validate(given)

    def send(self, alert: Alert, officer: str = "officer-1") -> Verdict:
        """Publish an alert and wait for its verdict."""
        return self.judged(signed(alert, self.key(officer), Clock()))

    def judged(self, record: Outgoing, within: float = 30) -> Verdict:
        """Publish any record as the demo zone's police and wait for its verdict."""
        with self.police() as police:
            return police.verdict(police.publish(record), within)

    def accepted(self, alert: Alert) -> Verdict:
        """Publish an alert that must be accepted."""
        verdict = self.send(alert)
        assert verdict.verdict is VerdictKind.ACCEPTED, verdict
        return verdict

    def everyone_got_one(
        self, marker: str, numbers: Collection[str], within: float = 60
    ) -> list[Json]:
        """Wait until each number has the SMS, and hold that none has it twice or by mistake."""

        def complete() -> list[Json] | None:
            found = self.sms(marker)
            return found if {sms["to"] for sms in found} >= set(numbers) else None

        found = until(complete, within, f"{len(numbers)} phones have {marker}")
        assert sorted(sms["to"] for sms in found) == sorted(numbers)
        return found

    def coverage(self, message_id: str) -> Json:
        """Give what the dispatcher's ledger says."""
        with self.api("dispatcher", "police") as dispatcher:
            return dispatcher.get(f"/v1/messages/{message_id}/coverage")

    def bundle(self, zone: str = ZONE) -> bytes:
        """Download a zone's audit log."""
        with self.api("audit", "auditor") as audit:
            return audit.request("GET", f"/v1/zones/{zone}/bundle").content

    def sends(self, message_id: str) -> list[Json]:
        """Give the audit log's latest entry of each send of a message."""
        with self.api("audit", "auditor") as audit:
            return list(audit.pages("/v1/sends", zone_id=ZONE, message_id=message_id, limit=500))

    def signed(self, size: int, within: float = 30) -> None:
        """Wait until a signed checkpoint covers so many entries."""
        with self.api("audit", "auditor") as audit:

            def covered() -> bool | None:
                note = audit.request("GET", f"/v1/zones/{ZONE}/checkpoint").text
                return int(note.splitlines()[1]) >= size or None

            until(covered, within, f"a checkpoint over {size} entries")

    def recorded(self, message_id: str) -> list[Json]:
        """Give the last line in the zone's bundle of each send of a message."""
        sends = self.sends(message_id)
        if not sends:
            return []
        self.signed(1 + max(send["index"] for send in sends))
        last: dict[str, Json] = {}
        for line in lines(self.bundle()):
            entry = line["entry"]
            if entry["message_id"] == message_id and entry["send_id"] is not None:
                last[entry["send_id"]] = line
        return list(last.values())

    def pseudonym(self, destination: str, zone: str = ZONE) -> str:
        """Give the pseudonym of a number or address, as the audit log has it."""
        ring = KeyRing(self.data / "secrets" / "pseudonyms.json")
        return ring.pseudonym(zone, datetime.now(UTC).year, destination)

    def all_agree(self, message_id: str, sent: Sequence[Json], within: float = 60) -> None:
        """Hold sandbox, ledger and audit log against each other, one to one."""

        def counted() -> bool | None:
            ledger = self.coverage(message_id)["states"]
            audit = Counter(send["state"] for send in self.sends(message_id))
            return (_out(ledger) == _out(audit) == len(sent)) or None

        until(counted, within, "sandbox, ledger and audit log have as many")
        recorded = [
            (line["private"]["provider_reference"], line["private"]["recipient"])
            for line in self.recorded(message_id)
            if line["entry"]["state"] in _SENT
        ]
        accepted = [(sms["sid"], self.pseudonym(sms["to"])) for sms in sent]
        assert sorted(recorded) == sorted(accepted)


_SENT = ("accepted", "delivered")


def _out(states: Mapping[str, int]) -> int:
    return sum(states.get(state, 0) for state in _SENT)


def lines(bundle: bytes) -> Iterator[Json]:
    """Give a bundle's entry lines."""
    for line in bundle.splitlines()[1:]:
        yield json.loads(line)


def _chunk(terminal: int) -> str:
    """Read what a command wrote to its terminal; nothing once it has ended."""
    ready, _, _ = select.select([terminal], [], [], 60)
    assert ready, "the command neither says nor asks anything"
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:  # Linux's way to say that the other end is closed
        return ""


def start_up(data: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `buurtbode up` on a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "up", "--data", str(data), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
