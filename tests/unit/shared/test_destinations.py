"""One form of a number or an address: stored, planned with, and found again by whoever asks."""

import string
from collections.abc import Callable
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from services.audit.domain.destinations import normalise
from services.dispatcher.domain.audience import person_in_role
from services.registry.domain import contact
from services.registry.domain.failures import Invalid
from shared.contracts import Member, Network
from shared.contracts.registry import Contact

LOCAL = st.text(string.ascii_letters + string.digits + "_+-", min_size=1, max_size=12)
DOMAINS = st.sampled_from(
    ["voorbeeld.example", "VOORBEELD.Example", "Exämple.example", "xn--exmple-cua.example"]
)
SPELLINGS: list[Callable[[str], str]] = [str.upper, str.lower, " {} ".format]
# no operator has the range 0450: these numbers belong to nobody
DIGITS = st.integers(0, 999_999).map(lambda number: f"{number:06}")
STARTS = st.sampled_from(["0450", "0450 ", "+32 450/", "0032 450.", "+32(0)450 "])


def published(stored: str) -> Contact:
    """Give a coordinator as the registry publishes and the dispatcher reads one."""
    network = Network.model_validate(
        {
            "network_id": "bin-linde",
            "version": 1,
            "zone_id": "demo",
            "name": "BIN Lindeveld",
            "municipality": "23002",
            "kind": "residents",
            "state": "active",
            "languages": ["nl"],
            "sender_name": "BIN",
            "exercises": False,
            "documents": {},
            "contacts": [
                {
                    "contact_id": "contact-1",
                    "role": "coordinator",
                    "subject": "subject-1",
                    "email": stored,
                    "language": "nl",
                    "active": True,
                }
            ],
        }
    )
    return Network.from_json(network.to_json()).contacts[0]


def member(**reached: str) -> Member:
    """Give a member as the registry publishes and the dispatcher reads one."""
    member = Member.model_validate(
        {
            "member_id": "member-1",
            "version": 1,
            "zone_id": "demo",
            "network_id": "bin-linde",
            "state": "active",
            "language": "nl",
            **reached,
        }
    )
    return Member.from_json(member.to_json())


@given(st.builds("{}@{}".format, LOCAL, DOMAINS), st.sampled_from(SPELLINGS))
@example("jan@Exämple.example", str.lower)
@example("jan@xn--exmple-cua.example", str.upper)
def test_an_address_is_asked_for_as_it_was_stored_and_planned(
    written: str, spell: Callable[[str], str]
) -> None:
    stored = contact.email(written)
    assert person_in_role(published(stored), "bin-linde").destination == stored
    assert member(email=stored).email == stored
    assert normalise(spell(written)) == normalise(stored) == stored


@given(STARTS, DIGITS, st.sampled_from(["", " ", ".", "/"]))
def test_a_number_is_asked_for_as_it_was_stored_and_planned(
    start: str, digits: str, separator: str
) -> None:
    written = f"{start}{digits[:2]}{separator}{digits[2:]}"
    stored = contact.phone(written).e164
    assert member(phone=stored).phone == stored
    assert normalise(written) == normalise(stored) == stored == f"+32450{digits}"


@given(st.text("0123456789+ ./-()@abé", max_size=20))
def test_whatever_the_registry_takes_can_be_asked_for(written: str) -> None:
    for take in (lambda: contact.phone(written).e164, lambda: contact.email(written)):
        with suppress(Invalid):
            assert normalise(written) == take()
