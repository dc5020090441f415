"""What the registry reads: proposals to judge, verdicts on alerts, sends, and its own erasures."""

from collections.abc import Sequence

from services.registry.flows.context import Context
from services.registry.flows.count_alert import count_alert
from services.registry.flows.count_sends import count_sends
from services.registry.flows.erase_member import apply_erasure
from services.registry.flows.judge_proposals import GROUP, judge_proposals
from services.registry.flows.take_closing import take_closing
from services.registry.flows.take_stop import take_stop
from services.registry.flows.take_verdict import take_verdict
from shared.consume import Consumer, DeadLetters
from shared.contracts import DeadLetter, Erasure, MessageClosed, Send, Verdict
from shared.envelope import decode, decode_any
from shared.kafka import Log, Record
from shared.mongo import Client, Database, Session
from shared.topics import ERASURES, PROPOSALS, SENDS, VERDICTS, Party, group

SERVICE = str(Party.REGISTRY)


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


def build_consumers(
    context: Context, log: Log, client: Client, database: Database
) -> list[Consumer]:
    """Make the registry's consumers; the caller runs them."""
    letters = DeadLetters(GROUP, database, context.outbox, SERVICE)
    judge = ProposalJudge(context, letters)

    async def take_verdicts(session: Session, records: Sequence[Record]) -> None:
        for record in records:
            verdict = decode(record, Verdict).event
            await take_verdict(context, session, verdict)
            await count_alert(context, session, verdict)

    async def take_sends(session: Session, records: Sequence[Record]) -> None:
        events = [decode_any(record).event for record in records]
        sends = [event for event in events if isinstance(event, Send)]
        for send in sends:
            await take_stop(context, session, send)
        await count_sends(context, session, sends)
        for event in events:
            if isinstance(event, MessageClosed):
                await take_closing(context, session, event)

    async def take_erasures(session: Session, records: Sequence[Record]) -> None:
        for record in records:
            await apply_erasure(context, session, decode(record, Erasure).event)

    return [
        Consumer(
            group=group(Party.REGISTRY, "erasures"),
            topics=[ERASURES.name],
            apply=take_erasures,
            log=log,
            client=client,
            database=database,
            outbox=context.outbox,
            service=SERVICE,
            clock=context.clock,
        ),
        Consumer(
            group=GROUP,
            topics=[PROPOSALS.name],
            apply=judge.apply,
            after=judge.after,
            log=log,
            client=client,
            database=database,
            outbox=context.outbox,
            service=SERVICE,
            clock=context.clock,
            most=50,
        ),
        Consumer(
            group=group(Party.REGISTRY, "verdicts"),
            topics=[VERDICTS.name],
            apply=take_verdicts,
            log=log,
            client=client,
            database=database,
            outbox=context.outbox,
            service=SERVICE,
            clock=context.clock,
        ),
        Consumer(
            group=group(Party.REGISTRY, "sends"),
            topics=[SENDS.name],
            apply=take_sends,
            log=log,
            client=client,
            database=database,
            outbox=context.outbox,
            service=SERVICE,
            clock=context.clock,
        ),
    ]
