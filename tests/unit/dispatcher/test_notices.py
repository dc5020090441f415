"""The words of notices: whole in four languages, and never a value that could be a text."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from services.dispatcher.domain.notices import (
    ACCEPT_LINK,
    TEMPLATES,
    Links,
    Recipient,
    render,
    with_accept_link,
)
from shared.contracts import Notice
from shared.contracts.base import LANGUAGES
from shared.contracts.registry import Contact, NoticeTemplate
from tests.support.police import NOW

REGISTRY = "https://registry.example/"


def notice(**changes: Any) -> Notice:
    fields: dict[str, Any] = {
        "notice_id": "5f7c1f3e-1111-4222-8333-444455556666",
        "zone_id": "demo",
        "to_role": {"role": "coordinator", "network_id": "n1"},
        "template": "bulletin_waiting",
        "about": {"bulletin_id": "b1", "due": "2026-11-24", "waiting": 2},
        "issued_at": NOW,
        "expires_at": NOW + timedelta(days=3),
        **changes,
    }
    return Notice.model_validate(fields)


def test_every_template_has_words_in_every_language() -> None:
    assert set(TEMPLATES) == set(get_args(NoticeTemplate))
    for words in TEMPLATES.values():
        assert set(words) == set(LANGUAGES)
        for subject, body in words.values():
            assert subject
            assert "\n" not in subject
            assert body


@pytest.mark.parametrize("template", get_args(NoticeTemplate))
def test_every_template_renders(template: NoticeTemplate) -> None:
    one = notice(template=template)
    content = render(one, Links(REGISTRY))
    assert set(content.body) == set(content.subject) == set(LANGUAGES)
    assert all("$" not in text for text in content.body.values())


def test_link_leads_to_the_bulletin_and_facts_are_listed() -> None:
    one = notice()
    body = render(one, Links(REGISTRY)).body["en"]
    assert "https://registry.example/v1/networks/n1/bulletins/b1" in body
    assert body.endswith("bulletin_id: b1\ndue: 2026-11-24\nwaiting: 2")


def test_whoever_works_in_a_browser_is_led_there_and_members_to_the_registry() -> None:
    links = Links(REGISTRY, "https://desk.example/")
    assert "https://desk.example/networks/n1/bulletins/b1" in render(notice(), links).body["en"]
    one = notice(template="accept_house_rules", to_role=None, to_member="m1", about={})
    assert "desk.example" not in render(one, links).body["en"]


def test_acceptance_link_is_the_members_own() -> None:
    one = notice(template="accept_house_rules", to_role=None, to_member="m1", about={})
    content = render(one, Links(REGISTRY))
    assert all(ACCEPT_LINK in text for text in content.body.values())
    for language, text in content.body.items():
        assert f"{REGISTRY}v1/zones/demo/privacy?language={language}" in text
    done = with_accept_link(content, "https://registry.example/v1/accept/t")
    assert all("/v1/accept/t\n" in text for text in done.body.values())
    assert all(ACCEPT_LINK not in text for text in done.body.values())


def test_about_cannot_break_out_of_its_line() -> None:
    one = notice(about={"due": "x\r\nBcc: someone", "$link": "${link}"})
    body = render(one, Links("L")).body["nl"]
    assert "\r" not in body
    assert "due: xBcc: someone" in body
    assert "$link: ${link}" in body


@pytest.mark.parametrize(
    ("role", "held_by"),
    [
        ("coordinator", {"coordinator", "co_coordinator"}),
        ("deputy", {"deputy"}),
        ("officer", {"officer"}),
    ],
)
def test_role_is_held_by_its_active_contacts(role: str, held_by: set[str]) -> None:
    recipient = Recipient(role=role, network_id="n1")
    for kind in ("officer", "coordinator", "co_coordinator", "deputy"):
        contact = Contact(contact_id="c", role=kind, subject="s", language="nl", active=True)
        assert recipient.holds(contact) == (kind in held_by)
        assert not recipient.holds(contact.model_copy(update={"active": False}))
