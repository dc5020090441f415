"""Learn from the dispatcher what was sent, in small counters: each change counts once."""

from collections.abc import Sequence

from services.registry.domain.tally import Change, Counted, count
from services.registry.flows.context import Context
from shared.contracts import Send
from shared.mongo import Session


async def count_sends(context: Context, session: Session, sends: Sequence[Send]) -> None:
    """Count a batch in the transaction that moves the position."""
    if not sends:
        return
    ids = list(dict.fromkeys((send.zone_id, send.send_id) for send in sends))
    known = dict(await context.figures.counted(session, ids))
    changed: dict[tuple[str, str], Counted] = {}
    changes: list[Change] = []
    for send in sends:
        of = (send.zone_id, send.send_id)
        found = count(known.get(of), send)
        if found is None:
            continue
        known[of] = changed[of] = found[0]
        changes += found[1]
    await context.figures.store(session, changed, changes, context.clock.now())
