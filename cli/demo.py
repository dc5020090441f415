"""The demo: one alert and one bulletin travel the whole way, told so that an officer follows.

Everything is real but the last step: the sandbox takes each SMS and mail in place of a provider.
Anything that is not as it should be ends the story with what went wrong.
"""

import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from textwrap import indent
from typing import Self

import httpx
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli import demo_data, keyfile
from cli.api import Json
from cli.connection import Connection
from cli.console import console, say
from cli.demo_people import NETWORKS, ZONE, Person, audience, people
from cli.failures import CommandError
from cli.police import PoliceClient, signed
from cli.sending import acceptance, refusal
from cli.waiting import Waiter
from deploy.kafka_admin import police_user
from services.audit.verify import VERIFIED, verify_file
from shared.clock import Clock
from shared.contracts import Alert, BulletinProposed, Verdict
from shared.contracts.base import AlertKind, BulletinKind, Status
from shared.contracts.dispatcher import VerdictKind
from shared.contracts.police import PoliceEvent

_SOON_S = 60.0
"""How long each step may take; on two cores it takes one or two seconds."""

_SUBJECT = {"nl": "Inbraken in uw buurt: wat u zelf kunt doen", "fr": "Cambriolages : nos conseils"}
_SHOWN_EVERY = 25
"""Without a terminal, a line each time so many more have it."""


class Story:
    """The story, step by step, on a stack with the demo's people."""

    def __init__(self, connection: Connection, folder: Path, waiter: Waiter) -> None:
        """`folder` is the stack's, with the officers' keys and the log's public key."""
        self._connection = connection
        self._folder = folder
        self._waiter = waiter
        self._key = keyfile.read(demo_data.key_path(folder / "keys", demo_data.OFFICERS[0]))
        self._clock = Clock()

    def tell(self) -> None:
        """Tell all of it. Raises `CommandError` where something is not as it should be."""
        with ExitStack() as exits:
            self._police = exits.enter_context(
                PoliceClient(self._connection.kafka(police_user(ZONE)))
            )
            self._dispatcher = exits.enter_context(self._connection.api("dispatcher", "police"))
            self._registry = exits.enter_context(self._connection.api("registry", "coordinator"))
            self._audit = exits.enter_context(self._connection.api("audit", "auditor"))
            self._sandbox = exits.enter_context(httpx.Client(base_url=self._connection.sandbox()))
            self._introduce()
            alert_id = self._send_alert()
            self._watch_phones(alert_id)
            self._send_bulletin()
            self._prove(self._show_account(alert_id))

    def _introduce(self) -> None:
        everybody = list(people())
        both = sum(len(person.networks) > 1 for person in everybody)
        _headline("The neighbourhood")
        for network in NETWORKS:
            say(f"  {network.name}: {', '.join(network.streets)}")
        say(
            f"  {len(everybody)} people take part; {both} of them in two networks. "
            f"{sum(person.phone is None for person in everybody)} have no mobile phone, and "
            f"{sum(person.leaves for person in everybody)} have left."
        )

    def _send_alert(self) -> str:
        now = self._clock.now()
        alert = Alert(
            alert_id=self._clock.new_id(),
            zone_id=ZONE,
            network_ids=tuple(demo_data.network_ids()),
            kind=AlertKind.ALERT,
            status=Status.ACTUAL,
            event="burglary",
            text={
                "nl": "Inbraak Lindeveldstraat 19.50 u. Twee daders te voet gevlucht richting "
                "station. Rode jas, zwarte rugzak.",
                "fr": "Cambriolage rue Lindeveld 19h50. Deux auteurs en fuite à pied vers la "
                "gare. Veste rouge, sac à dos noir.",
            },
            issued_by=self._key.issued_by,
            issued_at=now,
            expires_at=now + timedelta(minutes=30),
        )
        _headline("A burglary, ten to eight in the evening")
        say("  Officer 1 signs a warm message and puts it on the Kafka topic bin.alerts:")
        for language, text in alert.text.items():
            say(f"    {language}: {text}")
        self._publish(alert)
        return alert.alert_id

    def _publish(self, event: PoliceEvent) -> Verdict:
        verdict = self._police.verdict(
            self._police.publish(signed(event, self._key, self._clock)), _SOON_S
        )
        if verdict.verdict is not VerdictKind.ACCEPTED:
            raise CommandError(refusal(verdict))
        for line in acceptance(verdict):
            say(f"  {line}", style="green")
        return verdict

    def _watch_phones(self, alert_id: str) -> None:
        wanted = audience()
        _headline("The phones")
        found = self._watch(
            "phones have it",
            len(wanted),
            lambda: self._sandbox.get("/sms").raise_for_status().json(),
        )
        self._each_once([str(sms["to"]) for sms in found], [str(p.phone) for p in wanted])
        for language in ("nl", "fr"):
            self._show_sms(found, next(p for p in wanted if p.language == language))
        coverage = self._waiter.until(
            lambda: self._all_accepted(alert_id, len(wanted)), _SOON_S, "everybody in the coverage"
        )
        self._tell_coverage(coverage)

    def _show_sms(self, found: list[Json], person: Person) -> None:
        sms = next(sms for sms in found if sms["to"] == person.phone)
        say(f"  {sms['from']} to somebody who reads {person.language}:")
        say(indent(str(sms["body"]), "    "), style="cyan")

    def _all_accepted(self, alert_id: str, wanted: int) -> Json | None:
        coverage = self._dispatcher.get(f"/v1/messages/{alert_id}/coverage")
        states: dict[str, int] = coverage["states"]
        got = states.get("accepted", 0) + states.get("delivered", 0)
        return coverage if got == wanted else None

    def _tell_coverage(self, coverage: Json) -> None:
        states: dict[str, int] = coverage["states"]
        missed = sum(not p.gets_sms and not p.leaves for p in people())
        if states.get("unreachable", 0) != missed:
            message = f"{missed} people have no mobile, the coverage says {states}"
            raise CommandError(message)
        times: dict[str, float | None] = coverage.get("accepted_seconds") or {}
        last = times.get("all")
        speed = f" The last one left {last:.1f} s after the alert." if last is not None else ""
        say(f"  Everyone once, also who is in two networks.{speed}")
        say(f"  {missed} people have no mobile: the officer sees that, nobody is skipped silently.")

    def _send_bulletin(self) -> None:
        proposal = BulletinProposed(
            bulletin_id=self._clock.new_id(),
            zone_id=ZONE,
            network_ids=tuple(demo_data.network_ids()),
            kind=BulletinKind.PREVENTION,
            status=Status.ACTUAL,
            subject={"nl": _SUBJECT["nl"], "fr": _SUBJECT["fr"]},
            body={
                "nl": "Sluit ramen en deuren, ook als u maar even weg bent. Een lamp met een "
                "tijdschakelaar helpt. Ziet u iets verdachts? Bel 101.",
                "fr": "Fermez portes et fenêtres, même pour une courte absence. Une lampe avec "
                "minuterie aide. Vous voyez quelque chose de suspect ? Appelez le 101.",
            },
            issued_by=self._key.issued_by,
            issued_at=self._clock.now(),
        )
        _headline("The day after: advice, not urgent")
        say(f"  Officer 1 proposes a bulletin: {_SUBJECT['nl']} / {_SUBJECT['fr']}")
        self._publish(proposal)
        for network_id in demo_data.network_ids():
            where = f"/v1/networks/{network_id}/bulletins/{proposal.bulletin_id}"
            self._registry.get(where)
            self._registry.post(f"{where}/release")
        say("  The coordinator reads it and releases it in all three networks.")
        wanted = [person for person in people() if not person.leaves]
        found = self._watch("mailboxes have it", len(wanted), self._bulletin_mails)
        self._each_once([_address(mail) for mail in found], [person.email for person in wanted])
        say(f"  For instance, to somebody who reads French: {_SUBJECT['fr']}")

    def _bulletin_mails(self) -> list[Json]:
        mails: list[Json] = self._sandbox.get("/mail").raise_for_status().json()
        return [mail for mail in mails if mail["subject"] in _SUBJECT.values()]

    def _show_account(self, alert_id: str) -> int:
        """Show the sends on record, and give the size that the log has with all of them."""
        _headline("The account")
        sends = self._waiter.until(
            lambda: self._all_on_record(alert_id), _SOON_S, "every SMS in the audit log"
        )
        states = Counter(str(send["state"]) for send in sends)
        counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        say(f"  The audit service has each of the {len(sends)} sends of the alert: {counts}.")
        say("  It knows no numbers: only pseudonyms, which an auditor who has a number can check.")
        return 1 + max(int(send["index"]) for send in sends)

    def _all_on_record(self, alert_id: str) -> list[Json] | None:
        sends = list(self._audit.pages("/v1/sends", zone_id=ZONE, message_id=alert_id))
        states = Counter(str(send["state"]) for send in sends)
        sent = states["accepted"] + states["delivered"]
        wanted = sum(not person.leaves for person in people())
        complete = sent == len(audience()) and sent + states["unreachable"] == wanted
        return sends if complete and len(sends) == wanted else None

    def _prove(self, size: int) -> None:
        _headline("The proof")
        self._waiter.until(
            lambda: True if self._signed_size() >= size else None,
            _SOON_S,
            "a signed checkpoint over all sends",
        )
        bundle = self._audit.request("GET", f"/v1/zones/{ZONE}/bundle").content
        path = self._folder / "bundle.ndjson"
        path.write_bytes(bundle)
        key = str(self._folder / "log.pub.pem")
        code, said = verify_file(path, key)
        if code != VERIFIED:
            raise CommandError("the bundle does not verify: " + " ".join(said))
        say(f"  The auditor downloads the log ({len(bundle) // 1024} KB) and checks it offline:")
        for line in said:
            say(f"    {line}", style="green")
        path.write_bytes(_flipped(bundle))
        code, said = verify_file(path, key)
        if code == VERIFIED:
            raise CommandError("a bundle with a changed byte still verifies")
        say("  Then somebody changes one single byte of the file:")
        for line in said:
            say(f"    {line}", style="red")

    def _signed_size(self) -> int:
        note = self._audit.request("GET", f"/v1/zones/{ZONE}/checkpoint").text
        return int(note.splitlines()[1])

    def _watch(self, what: str, wanted: int, look: Callable[[], list[Json]]) -> list[Json]:
        """Show how many there are until all are; more than wanted is an error."""
        with _Shown(what, wanted) as shown:

            def complete() -> list[Json] | None:
                found = look()
                shown.at(len(found))
                return found if len(found) >= wanted else None

            return self._waiter.until(complete, _SOON_S, f"{wanted} {what}")

    def _each_once(self, got: list[str], wanted: list[str]) -> None:
        surplus = Counter(got) - Counter(wanted)
        missing = Counter(wanted) - Counter(got)
        if surplus or missing:
            message = f"{surplus.total()} too many and {missing.total()} too few were sent"
            raise CommandError(message)


class _Shown:
    """Progress on a terminal, plain lines elsewhere."""

    def __init__(self, what: str, wanted: int) -> None:
        self._what = what
        self._wanted = wanted
        self._said = 0
        self._bar = Progress(
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), console=console()
        )
        self._task = self._bar.add_task(what, total=wanted)

    def __enter__(self) -> Self:
        if sys.stdout.isatty():
            self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if sys.stdout.isatty():
            self._bar.stop()

    def at(self, count: int) -> None:
        """Show how many there are."""
        if sys.stdout.isatty():
            self._bar.update(self._task, completed=count)
        elif count - self._said >= _SHOWN_EVERY or (count >= self._wanted > self._said):
            self._said = count
            say(f"  {count} of {self._wanted} {self._what}")


def _headline(text: str) -> None:
    say()
    say(text, style="bold")


def _address(mail: Json) -> str:
    to: str | list[str] = mail["to"]
    return to if isinstance(to, str) else to[0]


def _flipped(bundle: bytes) -> bytes:
    """Change one byte in the middle: a digit or letter into its neighbour."""
    middle = len(bundle) // 2
    at = next(i for i in range(middle, len(bundle)) if bundle[i : i + 1].isalnum())
    return bundle[:at] + bytes([bundle[at] ^ 1]) + bundle[at + 1 :]
