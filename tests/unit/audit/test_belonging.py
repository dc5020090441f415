"""Of which message an entry tells, where several bear one id: as far as it can be told."""

from typing import Any

import pytest

from services.audit.domain.belonging import types_of
from services.audit.domain.closing import alarm_id
from services.audit.domain.entries import FIELDS, EntryType
from shared.contracts.base import MessageType

ID = "6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90"
ALERT, BULLETIN, NOTICE = MessageType.ALERT, MessageType.BULLETIN, MessageType.NOTICE
EVERY = {ALERT, BULLETIN, NOTICE}


def entry(kind: EntryType, **fields: Any) -> dict[str, Any]:
    own: dict[str, Any] = {
        "type": kind.value,
        "zone_id": "demo",
        "message_id": ID,
        "network_ids": [],
        **fields,
    }
    return dict.fromkeys(FIELDS) | own


def no_closing(kind: MessageType, release: str, networks: list[str]) -> dict[str, Any]:
    return entry(
        EntryType.ALARM,
        event_id=alarm_id(f"demo|{kind}|{ID}|{release}"),
        reason="no_closing",
        network_ids=networks,
    )


@pytest.mark.parametrize(
    ("told", "types"),
    [
        (entry(EntryType.SEND, lane="warm"), {ALERT}),
        (entry(EntryType.SEND, lane="cold"), {BULLETIN, NOTICE}),
        (entry(EntryType.BULLETIN), {BULLETIN}),
        (entry(EntryType.NOTICE), {NOTICE}),
        # also once their texts have ended, and with them the private part
        (entry(EntryType.ORIGINAL, event_id="original.bin.alerts.3.17"), {ALERT}),
        (entry(EntryType.ORIGINAL, event_id="original.bin.bulletins.proposed.3.1"), {BULLETIN}),
        (entry(EntryType.ANSWER, state="agreed"), {ALERT, NOTICE}),
        (entry(EntryType.ANSWER, state="agreed", network_ids=["bin-a"]), {BULLETIN}),
        (entry(EntryType.ALARM, reason="closing_stays_different"), {ALERT, NOTICE}),
        (
            entry(EntryType.ALARM, reason="closing_stays_different", network_ids=["bin-a"]),
            {BULLETIN},
        ),
        (no_closing(ALERT, "", ["bin-a", "bin-b"]), {ALERT}),
        (no_closing(NOTICE, "", []), {NOTICE}),
        (no_closing(BULLETIN, "bin-a", ["bin-a"]), {BULLETIN}),
        (entry(EntryType.ALARM, event_id="x", reason="no_closing"), EVERY),
        (entry(EntryType.ALARM, reason="low_coverage"), EVERY),
        (entry(EntryType.ACCESS, state="bulletin"), {BULLETIN}),
        (entry(EntryType.ACCESS, state="read"), EVERY),
        (entry(EntryType.VERDICT, state="accepted"), EVERY),
    ],
)
def test_an_entry_belongs_to_what_it_can_tell_of(
    told: dict[str, Any], types: set[MessageType]
) -> None:
    assert types_of(told, None) == types


@pytest.mark.parametrize("kind", MessageType)
@pytest.mark.parametrize(
    "told", [EntryType.VERDICT, EntryType.PLANNED, EntryType.CLOSED, EntryType.ALARM]
)
def test_a_private_part_that_names_the_type_decides(kind: MessageType, told: EntryType) -> None:
    assert types_of(entry(told), {"message_type": kind.value}) == {kind}
