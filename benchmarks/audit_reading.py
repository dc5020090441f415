"""Reading a log of a million entries over HTTP: proofs, queries, the bundle, and checking it.

The log is filled through the store's own way of appending, four thousand entries a transaction;
only Kafka is left out. Then the service runs as it is deployed, signs, and answers one reader.
`BUURTBODE_BENCHMARK_ENTRIES` sets another size.
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import msgspec
import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import AnyHttpUrl

from benchmarks.audit_rig import START, Servers, send, servers, service_process
from services.audit.domain.closing import expected_of
from services.audit.domain.drafting import draft_of, send_draft
from services.audit.domain.entries import Draft
from services.audit.settings import AuditSettings
from services.audit.store.closings import Closings
from services.audit.store.log import LogStore
from services.audit.store.messages import Messages
from services.audit.store.ownership import Ownership
from shared.clock import Clock
from shared.contracts import Verdict
from shared.contracts.base import AlertKind, MessageType, Status
from shared.contracts.dispatcher import Original, VerdictKind
from shared.mongo import Session, connect, database, transaction
from shared.pseudonyms import KeyRing

TITLE = "Audit: reading a large log"
ENTRIES = int(os.environ.get("BUURTBODE_BENCHMARK_ENTRIES", "1000000"))
ROUNDS = 200
_ZONE = "demo"
_DATABASE = "audit_reading"
_BATCH = 4000
_PER_MESSAGE = 1000
"""Entries between two messages: a message's sends, receipts, and the verdict as the last."""

_SENDS = 666
_LATE = 13
"""Receipts that come a day late, for the message of a day before; the others come at once."""

_A_DAY = 144
"""Messages in a day: one every ten minutes."""

_EXPIRY = datetime.now(UTC) + timedelta(days=1)
"""Of every alert: a closing statement that were due would be one more entry, as an alarm."""

_PEOPLE_EVERY = 5000
"""Every so many entries, one is a send to an address that can be looked up."""

_EACH = 20
"""Sends to each such address."""

_WITHIN_S = 60 + ENTRIES / 4000
"""How long a check of the whole log may take."""

_CHILD = (
    "import resource, sys, time; from pathlib import Path; "
    "from services.audit.verify import verify_file; begun = time.perf_counter(); "
    "code, said = verify_file(Path(sys.argv[1]), sys.argv[2]); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter() - begun); "
    "sys.exit(code)"
)


def measure() -> list[str]:
    """Fill a log, read it and give tables."""
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder), [_ZONE]) as started:
        return asyncio.run(_measure(started, Path(folder)))


async def _measure(started: Servers, folder: Path) -> list[str]:
    token_key = OKPKey.generate_key("Ed25519", parameters={"kid": "bench", "use": "sig"})
    with _issuer(token_key) as issuer:
        settings = started.settings(_DATABASE)
        settings.oidc.issuer = issuer
        settings.oidc.jwks_url = AnyHttpUrl(f"{issuer}/jwks")
        settings.lookups_per_hour = ROUNDS * 2
        rate = await _fill(settings)
        _say(f"filled at {rate:,.0f} entries/s")
        with service_process(settings, folder / "service.log") as service:
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{settings.http.port}/v1",
                headers={"Authorization": f"Bearer {_token(token_key, settings)}"},
                timeout=120,
            ) as http:
                signed = await _signed(http)
                _say(f"checked and signed in {signed:.0f} s")
                lines = await _questions(http)
                lines += await _bundle(http, service, folder, started)
                checked, most = await _check_lists(settings, service)
    return [
        (
            f"One log of {ENTRIES:,} entries, filled at {rate:,.0f} entries/s (without Kafka); "
            f"checked as a whole and signed {signed:.0f} s after the service's start. One reader, "
            f"one question at a time, {ROUNDS} of each, over HTTP."
        ),
        "",
        *lines,
        "",
        (
            "The daily check of all that follows from the log (hashes, lists, counters, what "
            f"private parts are found by) took {checked:.0f} s ({ENTRIES / checked:,.0f} "
            f"entries/s), with {most:.0f} MB of memory at most."
        ),
    ]


def _say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def _issuer(key: OKPKey) -> Generator[str]:
    body = json.dumps({"keys": [key.as_dict(private=False)]}).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def _token(key: OKPKey, settings: AuditSettings) -> str:
    claims = {
        "iss": settings.oidc.issuer,
        "aud": settings.oidc.audience,
        "sub": "auditor-1",
        "roles": ["auditor"],
        "zone": _ZONE,
        "exp": int(datetime.now(UTC).timestamp()) + 3600,
    }
    return jwt.encode({"alg": "Ed25519", "kid": "bench"}, claims, key, algorithms=["Ed25519"])


async def _fill(settings: AuditSettings) -> float:
    clock, ring = Clock(), KeyRing(settings.pseudonym_keys)
    async with connect(settings.mongo, "benchmark") as client:
        own = database(client, _DATABASE)
        log = LogStore(own, clock, timedelta(days=365), timedelta(days=5 * 365))
        await log.prepare()
        messages = Messages(own)
        await messages.prepare()
        closings = Closings(own)
        await closings.prepare()
        owner = Ownership(own, "benchmark", clock)
        begun = time.perf_counter()
        for first in range(0, ENTRIES, _BATCH):
            drafts = list(_drafts(ring, range(first, min(first + _BATCH, ENTRIES))))
            epoch = await owner.claim(_ZONE)

            async def append(
                session: Session, epoch: int = epoch, drafts: list[Draft] = drafts
            ) -> None:
                sealed = await log.append(session, _ZONE, epoch, drafts)
                judged = [
                    (entry.index, _verdict(entry.index))
                    for entry in sealed
                    if entry.index % _PER_MESSAGE == _PER_MESSAGE - 1
                ]
                await messages.take(session, _ZONE, judged)
                expected = expected_of(verdict for _, verdict in judged)
                await closings.expect(session, _ZONE, expected)

            await transaction(client, append)
        await owner.release()
        return ENTRIES / (time.perf_counter() - begun)


def _drafts(ring: KeyRing, numbers: Iterable[int]) -> Iterator[Draft]:
    """Give drafts as the dispatcher's events make them; a message every ten minutes."""
    model = send_draft(send(_ZONE, 0))
    year = datetime.now(UTC).year
    for number in numbers:
        message, place = divmod(number, _PER_MESSAGE)
        at = START + timedelta(seconds=message * 600 + place / 10)
        if place == _PER_MESSAGE - 1:
            if (judged := draft_of(_verdict(number))) is not None:
                yield judged
            continue
        about, seq = _about(message, place)
        recipient = f"{about * 2654435761 % 2**256:064x}"
        if about % _PEOPLE_EVERY == 0:
            recipient = ring.pseudonym(_ZONE, year, _person(about // _PEOPLE_EVERY))
        send_id, member = f"{about:032x}", f"{about:032x}-m"
        first = "failed" if about % 997 == 0 else "accepted"
        yield msgspec.structs.replace(
            model,
            event_id=f"{send_id}.{seq}",
            send_id=send_id,
            seq=seq,
            message_id=_message(about // _PER_MESSAGE),
            network_ids=(f"bin-{about % 40}",),
            state=first if seq == 1 else ("delivered", "undelivered")[about % 50 == 0],
            time=at,
            private={**(model.private or {}), "recipient": recipient, "member_ids": (member,)},
            members=(member,),
            recipient=recipient,
        )


def _about(message: int, place: int) -> tuple[int, int]:
    """Give the send that an entry is about, by the number of its first entry, and its `seq`."""
    if place < _SENDS:
        return message * _PER_MESSAGE + place, 1
    receipt = place - _SENDS
    if receipt >= _LATE:
        return message * _PER_MESSAGE + receipt - _LATE, 2
    # on the first day nothing is late, and some others of its sends are answered
    earlier, last = (message - _A_DAY, _SENDS) if message >= _A_DAY else (message, _SENDS - _LATE)
    return earlier * _PER_MESSAGE + last - 1 - receipt, 2


def _verdict(number: int) -> Verdict:
    """Give the verdict on the message whose last entry has a number."""
    at = START + timedelta(seconds=number // _PER_MESSAGE * 600)
    return Verdict(
        event_id=f"verdict-{number}",
        ce_id=None,
        original=Original(topic="bin.alerts", partition=0, offset=number, sha256="0" * 64),
        zone_id=_ZONE,
        message_type=MessageType.ALERT,
        message_id=_message(number // _PER_MESSAGE),
        kind=AlertKind.ALERT,
        status=Status.ACTUAL,
        network_ids=tuple(f"bin-{network}" for network in range(40)),
        verdict=VerdictKind.ACCEPTED,
        explanation="The message goes out.",
        people=_SENDS,
        signer="officer-1-key",
        judged_at=at,
        expires_at=_EXPIRY,
    )


def _send_id(chance: random.Random) -> str:
    of_message = chance.randrange(ENTRIES // _PER_MESSAGE) * _PER_MESSAGE
    return f"{of_message + chance.randrange(_SENDS):032x}"


def _person(number: int) -> str:
    """Give whom the so manieth of these sends went to."""
    return f"person-{number % max(1, ENTRIES // _PEOPLE_EVERY // _EACH)}@example.org"


def _message(number: int) -> str:
    return f"{number:08x}-9b1e-4d27-8a5e-0c2f6d1b7e90"


async def _signed(http: httpx.AsyncClient) -> float:
    begun = time.perf_counter()
    async with asyncio.timeout(_WITHIN_S):
        while True:
            try:
                answer = await http.get(f"/zones/{_ZONE}/checkpoint")
            except httpx.TransportError:
                answer = None  # it is still starting
            if answer is not None and answer.text.split("\n")[1:2] == [str(ENTRIES)]:
                return time.perf_counter() - begun
            await asyncio.sleep(0.2)


Ask = Callable[[random.Random], tuple[str, str, dict[str, str | int] | None]]


def _get(path: str, **params: str | int) -> tuple[str, str, dict[str, str | int] | None]:
    return "GET", path, params


def _moment(number: int) -> str:
    message, place = divmod(number, _PER_MESSAGE)
    return (START + timedelta(seconds=message * 600 + place / 10)).isoformat()


ASKED: dict[str, Ask] = {
    "proof of an entry": lambda r: _get(f"/zones/{_ZONE}/entries/{r.randrange(ENTRIES)}/proof"),
    "proof of consistency": lambda r: _get(
        f"/zones/{_ZONE}/consistency", **{"from": r.randrange(1, ENTRIES)}
    ),
    "checkpoint": lambda _: _get(f"/zones/{_ZONE}/checkpoint"),
    "sends, any page": lambda r: _get("/sends", cursor=r.randrange(ENTRIES)),
    "sends of a state (1 in 1,000)": lambda r: _get(
        "/sends", state="failed", cursor=r.randrange(ENTRIES)
    ),
    "sends of a network": lambda r: _get(
        "/sends", network_id=f"bin-{r.randrange(40)}", cursor=r.randrange(ENTRIES)
    ),
    "sends of a message and state": lambda r: _get(
        "/sends", message_id=_message(r.randrange(ENTRIES // _PER_MESSAGE)), state="delivered"
    ),
    "sends of an hour, anywhere": lambda r: _time(r.randrange(ENTRIES), 6000),
    "sends of an hour and state": lambda r: _time(r.randrange(ENTRIES), 6000, state="undelivered"),
    "sends of a month": lambda r: _time(r.randrange(ENTRIES), 4_320_000),
    "sends of a channel, since": lambda r: _get(
        "/sends", **{"channel": "sms", "from": _moment(r.randrange(ENTRIES))}
    ),
    "one send's history": lambda r: _get(f"/sends/{_send_id(r)}"),
    "messages, any page": lambda r: _get("/messages", cursor=r.randrange(ENTRIES)),
    "one message": lambda r: _get(f"/messages/{_message(r.randrange(ENTRIES // _PER_MESSAGE))}"),
    "a year's record of processing": lambda _: _get(f"/zones/{_ZONE}/processing/{START.year}"),
    "stats, a page": lambda _: _get("/stats", limit=500),
    "who read what": lambda _: _get("/access"),
    "subject look-up": lambda r: (
        "POST",
        "/subjects/lookup",
        {
            "destination": _person(r.randrange(ENTRIES // _PEOPLE_EVERY)),
            "reason": "measured by the benchmark",
        },
    ),
}


def _time(number: int, entries: int, **other: str) -> tuple[str, str, dict[str, str | int] | None]:
    """Ask for the sends of the time that so many entries take."""
    between = {"from": _moment(number), "to": _moment(number + entries)}
    return _get("/sends", **between, **other)


async def _questions(http: httpx.AsyncClient) -> list[str]:
    chance = random.Random(7)  # noqa: S311 - the same questions in every run
    lines = ["| milliseconds | p50 | p95 | highest |", "|---|---|---|---|"]
    for name, ask in ASKED.items():
        taken: list[float] = []
        for _ in range(ROUNDS):
            method, path, values = ask(chance)
            begun = time.perf_counter()
            if method == "GET":
                answer = await http.get(path, params=values)
            else:
                answer = await http.post(path, json=values)
            taken.append((time.perf_counter() - begun) * 1000)
            answer.raise_for_status()
        p95 = statistics.quantiles(taken, n=20)[18]
        lines.append(f"| {name} | {statistics.median(taken):.1f} | {p95:.1f} | {max(taken):.1f} |")
        _say(lines[-1])
    return lines


async def _bundle(
    http: httpx.AsyncClient, service: psutil.Process, folder: Path, started: Servers
) -> list[str]:
    path, most = folder / "bundle.ndjson", 0.0
    before = _megabytes(service)
    begun, size = time.perf_counter(), 0
    async with http.stream("GET", f"/zones/{_ZONE}/bundle") as answer:
        with path.open("wb") as file:
            async for chunk in answer.aiter_bytes():
                size += file.write(chunk)
                most = max(most, _megabytes(service))
    taken = time.perf_counter() - begun
    _say(f"bundle of {size / 1e6:,.0f} MB in {taken:.0f} s, {before:.0f} to {most:.0f} MB")
    used, checked = _verify(path, started)
    return [
        "",
        (
            f"The bundle, {size / 1e6:,.0f} MB, was downloaded in {taken:.0f} s "
            f"({ENTRIES / taken:,.0f} entries/s), during which the service had {most:.0f} MB of "
            f"memory at most, after {before:.0f} MB before it. `buurtbode verify` checked it in "
            f"{checked:.0f} s ({ENTRIES / checked:,.0f} entries/s) with {used:.0f} MB at most."
        ),
    ]


async def _check_lists(settings: AuditSettings, service: psutil.Process) -> tuple[float, float]:
    """Have the daily check of lists made now; give its seconds, and the most memory in MB."""
    long_ago = datetime.now(UTC) - timedelta(days=2)
    async with connect(settings.mongo, "benchmark") as client, asyncio.timeout(_WITHIN_S * 2):
        checks = database(client, _DATABASE)["checks"]
        lists = {"_id": f"{_ZONE}|lists"}
        await checks.update_one(lists, {"$set": {"begun": long_ago}})
        most, begun = 0.0, time.perf_counter()
        while (row := await checks.find_one({**lists, "at": {"$exists": True}})) is None:
            most = max(most, _megabytes(service))
            await asyncio.sleep(0.2)
        taken = time.perf_counter() - begun
    if row["doubt"] is not None:
        raise RuntimeError(row["doubt"])
    _say(f"lists checked in {taken:.0f} s, {most:.0f} MB at most")
    return taken, most


def _megabytes(process: psutil.Process) -> float:
    return process.memory_info().rss / 1e6


def _verify(path: Path, started: Servers) -> tuple[float, float]:
    key = load_pem_private_key(started.signing_key.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError
    public = path.with_suffix(".pem")
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path), str(public)],
        check=True,
        capture_output=True,
        text=True,
    )
    kilobytes, taken = done.stdout.split()
    return int(kilobytes) / 1024, float(taken)
