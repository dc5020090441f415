"""A mail's bytes: one header per header, whatever the words; and the recipient's own parts."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.domain.message import Content, Message, MessageKey
from services.dispatcher.senders.mail import (
    InvalidAddress,
    Recipient,
    UnsafeHeader,
    ascii_address,
    header,
    personal,
    prebuild,
)
from shared.contracts.base import LANGUAGES, Lane, Language, MessageType, Status

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LINK = "https://registry.example/v1/unsubscribe/" + "a=b" * 40


def bulletin(subject: str = "Onderwerp", body: str = "Tekst.", **changes: object) -> Message:
    fields: dict[str, object] = {
        "key": MessageKey("demo", MessageType.BULLETIN, "b", "n1"),
        "lane": Lane.COLD,
        "status": Status.ACTUAL,
        "kind": "prevention",
        "references": None,
        "network_ids": ("n1",),
        "content": Content(
            body=dict.fromkeys(LANGUAGES, body), subject=dict.fromkeys(LANGUAGES, subject)
        ),
        "template": "bulletin",
        "issued_at": NOW,
        "accepted_at": NOW,
        "expires_at": NOW + timedelta(days=14),
        "legal_basis": "consent",
        "house_rules": {},
        "communication_plan": {},
        **changes,
    }
    return Message(**fields)  # pyright: ignore[reportArgumentType]


def mail_of(message: Message, language: Language = "nl", link: str | None = LINK) -> EmailMessage:
    built = prebuild(message, language, "no-reply@bin.example", NOW, shows_link=link is not None)
    raw = personal(built, Recipient("lid@example.org", "<id@bin.example>", "co@example.org", link))
    parsed = message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return parsed


@given(st.text(min_size=1, max_size=200))
def test_a_subject_never_becomes_a_second_header(subject: str) -> None:
    """It comes back whole, or is refused; it adds no header in any case."""
    try:
        written = header("Subject", subject)
    except UnsafeHeader:
        return
    parsed = message_from_bytes(written + b"\r\nbody", policy=policy.compat32)
    assert parsed.keys() == ["Subject"]


@pytest.mark.parametrize(
    "subject",
    [
        "A =?UTF-8?Q?=0A?=Bcc: x@example.org",
        "A =?utf-8?b?Cg==?=Bcc: x@example.org",
        "line\r\nBcc: x@example.org",
        "null\x00",
    ],
)
def test_control_characters_are_refused_plain_and_encoded(subject: str) -> None:
    with pytest.raises(UnsafeHeader):
        header("Subject", subject)


def test_what_looks_like_an_encoded_word_is_shown_as_it_stands() -> None:
    mail = mail_of(bulletin(subject="Uitleg =?utf-8?q?caf=C3=A9?= einde"))
    assert mail["Subject"] == "Uitleg =?utf-8?q?caf=C3=A9?= einde"


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_and_html_say_the_same_and_end_with_what_to_do(language: Language) -> None:
    mail = mail_of(bulletin(body="Eerste <b>deel</b>.\n\nTweede: é ë €."), language)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Eerste <b>deel</b>." in text.get_content()
    assert "Eerste &lt;b&gt;deel&lt;/b&gt;." in html.get_content()
    for part in (text, html):
        assert "Tweede: é ë €." in part.get_content()
        assert "101" in part.get_content()
        assert LINK in part.get_content()
    assert f'lang="{language}"' in html.get_content()


def test_the_headers_of_a_cold_mail() -> None:
    mail = mail_of(bulletin())
    assert mail["List-Unsubscribe"] == f"<{LINK}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == "co@example.org"
    assert mail["Message-ID"] == "<id@bin.example>"
    assert mail["To"] == "lid@example.org"
    assert mail["From"] == "no-reply@bin.example"
    assert mail["Date"] is not None
    assert not mail.defects


def test_without_a_link_nothing_asks_to_unsubscribe() -> None:
    mail = mail_of(bulletin(), link=None)
    assert mail["List-Unsubscribe"] is None
    text = mail.get_body(("plain",))
    assert text is not None
    assert "@@" not in text.get_content()


def test_an_exercise_says_so_in_the_subject_and_on_top() -> None:
    mail = mail_of(bulletin(status=Status.EXERCISE))
    assert mail["Subject"].startswith("OEFENING")
    html = mail.get_body(("html",))
    assert html is not None
    assert "Dit is een oefening." in html.get_content()


@pytest.mark.parametrize("method", ["PUBLISH", "CANCEL"])
def test_a_meeting_comes_with_its_calendar_file(method: str) -> None:
    """RFC 6047, section 2.4: the method of the part is that of the object in it."""
    calendar = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:{method}\r\nEND:VCALENDAR\r\n"
    content = Content(body={"nl": "Kom."}, subject={"nl": "Vergadering"}, attachment=calendar)
    mail = mail_of(bulletin(content=content))
    attached = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    assert len(attached) == 1
    assert attached[0].get_filename() == "meeting.ics"
    assert attached[0].get_param("method") == method
    assert "BEGIN:VCALENDAR" in attached[0].get_content()
    assert mail.get_body(("html",)) is not None


def test_addresses_are_ascii_or_refused() -> None:
    assert ascii_address("lid@voorbeeld.example") == "lid@voorbeeld.example"
    assert ascii_address("lid@bücher.example") == "lid@xn--bcher-kva.example"
    for bad in (
        "é@example.org",
        "a b@example.org",
        "a@b\r\nBcc: x",
        "nobody",
        "a,b@c.example",
        "@",
    ):
        with pytest.raises(InvalidAddress):
            ascii_address(bad)
