"""What the registry reads: proposals, verdicts, sends and answers to them, and its own topics."""

from collections.abc import Sequence
from functools import partial

from services.registry.flows.compare_topics import compare_topics
from services.registry.flows.context import Context
from services.registry.flows.count_alert import count_alert
from services.registry.flows.count_sends import count_sends
from services.registry.flows.erase_member import apply_erasure
from services.registry.flows.hold_back import Gate
from services.registry.flows.judge_proposals import GROUP, judge_proposals
from services.registry.flows.take_answer import take_answer
from services.registry.flows.take_closing import take_closing
from services.registry.flows.take_stop import take_stop
from services.registry.flows.take_verdict import take_verdict
from shared.consume import Consumer, DeadLetters
from shared.contracts import DeadLetter, Erasure, MessageClosed, Replay, Send, Verdict
from shared.envelope import decode, decode_any
from shared.kafka import Log, Record
from shared.mongo import Client, Database, Session
from shared.topics import (
    BULLETINS,
    ERASURES,
    MEMBERS,
    NETWORKS,
    PROPOSALS,
    REPLAYS,
    SENDS,
    VERDICTS,
    ZONES,
    Party,
    group,
)

SERVICE = str(Party.REGISTRY)
COMPARING, ERASED = group(Party.REGISTRY, "own"), group(Party.REGISTRY, "erasures")
OWN = (ZONES, NETWORKS, MEMBERS, BULLETINS, VERDICTS)
"""What the registry wrote itself and could have lost (the other judge's verdicts aside)."""


class ProposalJudge:
    """Judges proposals in the consumer's transaction, and tells of what could not be read."""

    def __init__(self, context: Context, letters: DeadLetters) -> None:
        """Bind."""
        self._context = context
        self._letters = letters
        self._unreadable: list[DeadLetter] = []

    async def apply(self, session: Session, records: Sequence[Record]) -> None:
        """Judge a batch; may run twice for the same records."""
        self._unreadable = await judge_proposals(self._context, self._letters, session, records)

    def after(self) -> None:
        """Count and log the letters of a batch that is stored."""
        for letter in self._unreadable:
            self._letters.tell(letter)
        self._unreadable = []


COMPARED = (*((COMPARING, topic.name) for topic in OWN), (ERASED, ERASURES.name))
"""The groups that have to catch up before the registry publishes anything, topic by topic."""


class Handlers:
    """What is done with the records of each topic; each may run twice for the same records."""

    def __init__(self, context: Context) -> None:
        """Bind."""
        self._context = context

    async def compare(self, session: Session, records: Sequence[Record]) -> None:
        """Hold what was published against what is stored."""
        await compare_topics(self._context, session, records)

    async def take_erasures(self, session: Session, records: Sequence[Record]) -> None:
        """Erase again whom a backup brought back."""
        for record in records:
            await apply_erasure(self._context, session, decode(record, Erasure).event)

    async def take_verdicts(self, session: Session, records: Sequence[Record]) -> None:
        """Note accepted alerts."""
        for record in records:
            verdict = decode(record, Verdict).event
            await take_verdict(self._context, session, verdict)
            await count_alert(self._context, session, verdict)

    async def take_sends(self, session: Session, records: Sequence[Record]) -> None:
        """Count what was sent, and note who said STOP and which releases are closed."""
        events = [decode_any(record).event for record in records]
        sends = [event for event in events if isinstance(event, Send)]
        for send in sends:
            await take_stop(self._context, session, send)
        await count_sends(self._context, session, sends)
        for event in events:
            if isinstance(event, MessageClosed):
                await take_closing(self._context, session, event)

    async def take_answers(self, session: Session, records: Sequence[Record]) -> None:
        """Note which releases are on the audit service's record."""
        for record in records:
            await take_answer(self._context, session, decode(record, Replay).event)


def build_consumers(
    context: Context, log: Log, client: Client, database: Database, gate: Gate
) -> list[Consumer]:
    """Make the registry's consumers; the caller runs them.

    But for the two that tell what a restored backup does not know, they wait for the gate.
    """
    letters = DeadLetters(GROUP, database, context.outbox, SERVICE)
    judge, handle = ProposalJudge(context, letters), Handlers(context)
    make = partial(
        Consumer,
        log=log,
        client=client,
        database=database,
        outbox=context.outbox,
        service=SERVICE,
        clock=context.clock,
    )
    held = partial(make, before=gate.wait)
    verdicts, sends, replays = (
        group(Party.REGISTRY, purpose) for purpose in ("verdicts", "sends", "replays")
    )
    return [
        make(group=COMPARING, topics=[topic.name for topic in OWN], apply=handle.compare),
        make(group=ERASED, topics=[ERASURES.name], apply=handle.take_erasures),
        held(
            group=GROUP,
            topics=[PROPOSALS.name],
            apply=judge.apply,
            after=judge.after,
            most=50,
        ),
        held(group=verdicts, topics=[VERDICTS.name], apply=handle.take_verdicts),
        held(group=sends, topics=[SENDS.name], apply=handle.take_sends),
        held(group=replays, topics=[REPLAYS.name], apply=handle.take_answers),
    ]
