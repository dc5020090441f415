"""Take a member list into a network: first a report per row, then all of it or nothing."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.registry.domain.days import day_of
from services.registry.domain.documents import DocumentVersion, version_on
from services.registry.domain.member import Acceptance, MemberRecord, ask_newer
from services.registry.domain.member_list import (
    Entry,
    Identity,
    Reading,
    RowProblem,
    identities,
    known_headers,
    read_list,
)
from services.registry.domain.network import NetworkRecord, check_alive
from services.registry.domain.notice import ask_acceptance, house_rules_changed
from services.registry.domain.spreadsheet import read_table
from services.registry.flows.context import Actor, Context
from services.registry.store.members import Known
from shared.contracts import Event
from shared.mongo import Session

SkipReason = Literal["there", "there_with_another_number", "left"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that adds nobody: they are there already, or left and come back only themselves.

    Who is there with another number (or none) is corrected as a member, not by a list.
    """

    row: int
    reason: SkipReason


@dataclass(slots=True)
class ImportReport:
    """What an import does, or would do."""

    applied: bool
    repeated: bool = False
    """Whether this very file was imported before, so that nothing was left to do."""

    added: list[int] = field(default_factory=list[int])
    """Rows."""

    pending: int = 0
    """How many of those have yet to accept the house rules."""

    pending_without_email: int = 0
    """How many of these get no link, having no address: they accept on paper."""

    skipped: list[Skipped] = field(default_factory=list[Skipped])
    problems: list[RowProblem] = field(default_factory=list[RowProblem])
    ignored_columns: list[int] = field(default_factory=list[int])


async def import_members(
    context: Context, actor: Actor, network: NetworkRecord, data: bytes, *, dry_run: bool
) -> ImportReport:
    """Read a file and add whom it names, unless it has a problem: then nobody.

    Idempotent: the same file again, or somebody who is in the network, adds nobody. Raises
    `Invalid` for a file that cannot be read, `Conflict`.
    """
    now = context.clock.now()
    # reading 10,000 rows takes seconds, in which others are served
    reading = await asyncio.to_thread(_read, data, network, now)
    digest = hashlib.sha256(data).hexdigest()

    async def work(session: Session) -> ImportReport:
        current = await context.networks.get(network.network_id, session)
        check_alive(current)
        report = ImportReport(applied=False, ignored_columns=reading.ignored_columns)
        report.problems = list(reading.problems)
        if await context.imports.done(session, network.network_id, digest):
            report.repeated = True
        else:
            known = await context.members.known(session, network.network_id)
            fresh = _fresh(reading, known, report)
            rules = await context.documents.versions(network.network_id, "house_rules", session)
            _check_paper(fresh, rules, report)
            _sort(report)
            members = _members(context, actor, current, rules, fresh)
            report.added = [entry.row for entry in fresh]
            report.pending = sum(member.state == "pending" for member in members)
            report.pending_without_email = sum(
                member.state == "pending" and member.email is None for member in members
            )
            if not dry_run and not report.problems:
                await _store(context, session, current, members)
                await context.imports.add(session, network.network_id, digest, now, len(members))
                await context.record_many(
                    session, actor, "change", "member.import", network=current, members=members
                )
                report.applied = True
        if not report.applied:
            # it tells who is in the network, so it is a look at the list
            await context.record_many(
                session, actor, "read", "member.import_check", network=current, members=[]
            )
        return report

    return await context.transaction(work)


def _read(data: bytes, network: NetworkRecord, now: datetime) -> Reading:
    return read_list(read_table(data, known_headers), network, day_of(now))


def _fresh(reading: Reading, known: Sequence[Known], report: ImportReport) -> list[Entry]:
    present: dict[Identity, Known] = {}
    left: set[Identity] = set()
    for person in known:
        who = identities(person.name, person.phone, person.email)
        if person.state == "left":
            left.update(who)
        else:
            present |= dict.fromkeys(who, person)
    fresh: list[Entry] = []
    for entry in reading.entries:
        there = next((present[who] for who in entry.identities if who in present), None)
        if there is not None and there.name.casefold() != entry.name.casefold():
            report.problems.append(RowProblem(entry.row, "phone", "phone-taken"))
        elif there is not None:
            # a number is nobody's to change by a list: its owner said STOP to it, or gave another
            other = entry.number is not None and entry.number != there.phone
            report.skipped.append(
                Skipped(entry.row, "there_with_another_number" if other else "there")
            )
        elif not left.isdisjoint(entry.identities):
            report.skipped.append(Skipped(entry.row, "left"))
        else:
            fresh.append(entry)
    return fresh


def _check_paper(
    fresh: Sequence[Entry], rules: Sequence[DocumentVersion], report: ImportReport
) -> None:
    """Refuse a signature of house rules that the network does not have, or had not yet."""
    for entry in fresh:
        if entry.signed_on is None:
            continue
        if not rules:
            report.problems.append(RowProblem(entry.row, "signed_on", "no-house-rules"))
        elif version_on(rules, entry.signed_on) is None:
            report.problems.append(RowProblem(entry.row, "signed_on", "paper-before-rules"))


def _sort(report: ImportReport) -> None:
    report.problems.sort(key=lambda problem: (problem.row, problem.field))


def _members(
    context: Context,
    actor: Actor,
    network: NetworkRecord,
    rules: Sequence[DocumentVersion],
    entries: Sequence[Entry],
) -> list[MemberRecord]:
    """Make the members; an entry's values were checked when it was read, each of them once."""
    now = context.clock.now()
    blank = MemberRecord(
        member_id="none",
        zone_id=network.zone_id,
        network_id=network.network_id,
        kind="resident",
        tie="lives",
        name="none",
        language="nl",
        source="import",
        unsubscribe_token="",
        accept_token="",
        created_at=now,
    )
    current = network.documents.get("house_rules", 0)
    made = (_member(context, blank, entry, _signed(actor, rules, entry, now)) for entry in entries)
    return [ask_newer(member, current) for member in made]


def _member(
    context: Context, blank: MemberRecord, entry: Entry, signed: Acceptance | None
) -> MemberRecord:
    return blank.model_copy(
        update={
            "member_id": context.clock.new_id(),
            "state": "pending" if signed is None else "active",
            "kind": entry.kind,
            "tie": entry.tie,
            "name": entry.name,
            "language": entry.language,
            "phone": None if entry.phone is None else entry.phone.e164,
            "phone_kind": None if entry.phone is None else entry.phone.kind,
            "email": entry.email,
            "acceptance": signed,
            "unsubscribe_token": context.clock.token(),
            "accept_token": context.clock.token(),
        }
    )


def _signed(
    actor: Actor, rules: Sequence[DocumentVersion], entry: Entry, now: datetime
) -> Acceptance | None:
    version = None if entry.signed_on is None else version_on(rules, entry.signed_on)
    if version is None:
        return None
    return Acceptance(
        how="paper",
        version=version,
        at=now,
        signed_on=entry.signed_on,
        witness=entry.witness,
        recorded_by=actor.reader,
    )


async def _store(
    context: Context, session: Session, network: NetworkRecord, members: Sequence[MemberRecord]
) -> None:
    now = context.clock.now()
    await context.members.add_many(session, members)
    events: list[Event] = [member.event() for member in members]
    if "house_rules" in network.documents:
        events += [
            ask_acceptance(context.clock.new_id(), member, now)
            for member in members
            if member.state == "pending"
        ]
    events += [
        house_rules_changed(context.clock.new_id(), member, member.asked_rules, now)
        for member in members
        if member.asked_rules is not None
    ]
    await context.outbox.add(session, events)
