"""The relay of bulletins: once, in time, and with everything on the timeline."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.domain import texts
from services.dispatcher.domain.message import Content, Message, MessageKey
from services.registry.domain import bulletin as rules
from services.registry.domain.bulletin import BulletinRecord
from services.registry.domain.failures import Conflict
from services.registry.domain.preview import preview
from shared.contracts.base import Lane, MessageType, Status
from tests.unit.registry.people import NOW, bulletin, network

ACTIVE = network().model_copy(update={"state": "active"})
STEPS: dict[str, Callable[[BulletinRecord], BulletinRecord]] = {
    "release": lambda found: rules.release(found, ACTIVE, "coordinator-1", NOW),
    "return": lambda found: rules.send_back(found, "coordinator-1", "reden", NOW),
    "withdraw": lambda found: rules.withdraw(found, "police-1", None, NOW),
    "expire": lambda found: rules.expire(found, NOW + timedelta(days=15)),
}


@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=8))
def test_a_bulletin_ends_once_and_its_timeline_says_how(steps: list[str]) -> None:
    """Rules text: "everything that happened to a bulletin is on its timeline"."""
    current = bulletin()
    for step in steps:
        try:
            current = STEPS[step](current)
        except Conflict:
            assert current.state != "waiting"
    assert current.state != "waiting"
    assert [step.what for step in current.timeline] == ["proposed", current.state]
    assert current.version == 2


def test_nothing_is_relayed_to_a_network_that_is_not_active() -> None:
    for state in ("draft", "suspended", "dissolved"):
        with pytest.raises(Conflict):
            rules.release(
                bulletin(), network().model_copy(update={"state": state}), "coordinator-1", NOW
            )


def test_nothing_is_relayed_after_its_end() -> None:
    with pytest.raises(Conflict) as refused:
        rules.release(bulletin(), ACTIVE, "coordinator-1", NOW + timedelta(days=14))
    assert refused.value.kind == "bulletin-expired"


@pytest.mark.parametrize("status", list(Status))
def test_the_preview_is_what_the_dispatcher_mails(status: Status) -> None:
    """The services keep their own words; this holds them against each other."""
    found = bulletin(status)
    for shown in preview(found):
        mail = texts.mail(_message(found), shown.language)
        assert (shown.subject, shown.text) == (mail.subject, mail.body)


def _message(found: BulletinRecord) -> Message:
    return Message(
        key=MessageKey(
            found.zone_id, MessageType.BULLETIN, found.bulletin_id, release=found.network_id
        ),
        lane=Lane.COLD,
        status=found.status,
        kind=str(found.kind),
        references=None,
        network_ids=(found.network_id,),
        content=Content(body=dict(found.body), subject=dict(found.subject)),
        template="bulletin",
        issued_at=NOW,
        accepted_at=NOW,
        expires_at=found.expires_at,
        legal_basis="BIN",
        house_rules={},
        communication_plan={},
    )
