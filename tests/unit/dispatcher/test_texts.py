"""What an SMS says and costs, against 3GPP TS 23.038 and Twilio's published figures."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.domain import texts
from services.dispatcher.domain.message import Content, Message, MessageKey
from shared.contracts.base import LANGUAGES, AlertKind, Lane, Language, MessageType, Status

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_alphabet_has_the_size_that_the_standard_gives_it() -> None:
    """128 positions less the escape; the extension has 10 (TS 23.038, 6.2.1)."""
    assert len(texts.GSM_BASIC) == 127
    assert len(texts.GSM_EXTENSION) == 10
    assert not texts.GSM_BASIC & texts.GSM_EXTENSION


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("", "gsm7", 1),
        ("a" * 160, "gsm7", 1),
        ("a" * 161, "gsm7", 2),
        ("a" * 306, "gsm7", 2),
        ("a" * 307, "gsm7", 3),
        ("a" * 459, "gsm7", 3),
        ("a" * 460, "gsm7", 4),
        ("€" * 80, "gsm7", 1),
        ("€" * 81, "gsm7", 2),
        # 153 is odd: an escape and its character stay together, so 76 fit in a segment
        ("€" * 152, "gsm7", 2),
        ("€" * 153, "gsm7", 3),
        ("a" * 152 + "€" + "a" * 152, "gsm7", 3),
        ("я" * 70, "ucs2", 1),
        ("я" * 71, "ucs2", 2),
        ("я" * 134, "ucs2", 2),
        ("я" * 135, "ucs2", 3),
        ("😀" * 35, "ucs2", 1),
        # 67 is odd: a surrogate pair stays together, so 33 fit in a segment
        ("😀" * 66, "ucs2", 2),
        ("😀" * 67, "ucs2", 3),
    ],
)
def test_segments_are_counted_as_the_networks_do(text: str, encoding: str, segments: int) -> None:
    sms = texts.measure(text)
    assert (sms.encoding, sms.segments) == (encoding, segments)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (
            "België, coördinator, très tôt, garçon, aïe",
            "Belgie, coördinator, très tot, garcon, aie",
        ),
        ("\u2018n \u201cauto\u201d \u2013 vlug\u2026", '\'n "auto" - vlug...'),
        ("e\u0308", "e"),  # decomposed, as some keyboards send it
        ("10\u00a0000\u202f€", "10 000 €"),
        ("à é è ù ì ò Ç ä ö ñ ü ß Å", "à é è ù ì ò Ç ä ö ñ ü ß Å"),
        ("cœur", "coeur"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_characters_that_cost_half_the_capacity_are_replaced(text: str, becomes: str) -> None:
    assert texts.measure(text).body == becomes
    assert texts.measure(text).encoding == "gsm7"


def test_text_that_stays_ucs2_keeps_its_own_characters() -> None:
    assert texts.measure("België Київ").body == "België Київ"


@given(st.text(max_size=700))
def test_every_text_has_a_size_that_holds_it(text: str) -> None:
    sms = texts.measure(text)
    if sms.encoding == "gsm7":
        assert texts.is_gsm7(sms.body)
        units = sum(2 if char in texts.GSM_EXTENSION else 1 for char in sms.body)
        most = 160 if sms.segments == 1 else 153 * sms.segments
    else:
        units = len(sms.body.encode("utf-16-le", "surrogatepass")) // 2
        most = 70 if sms.segments == 1 else 67 * sms.segments
    assert units <= most
    assert texts.measure(sms.body) == sms


@given(st.text(max_size=300), st.text(max_size=5))
def test_a_longer_text_never_needs_fewer_segments(text: str, more: str) -> None:
    short = texts.segments(text, "ucs2")
    assert texts.segments(text + more, "ucs2") >= short


def test_replacements_are_all_in_the_alphabet() -> None:
    for char, replaced in texts.DOWN_CONVERSION.items():
        assert char not in texts.GSM_BASIC | texts.GSM_EXTENSION
        assert texts.is_gsm7(replaced), char


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(AlertKind))
@pytest.mark.parametrize("status", list(Status))
def test_every_sms_says_what_to_do_and_never_costs_ucs2_by_our_words(
    language: Language, kind: AlertKind, status: Status
) -> None:
    sms = texts.alert_sms("x", language, kind, status)
    assert sms.encoding == "gsm7"
    assert "101" in sms.body
    assert "112 BE" in sms.body
    assert sms.body.endswith(texts.measure(texts.CLOSING[language]).body)


@pytest.mark.parametrize("language", LANGUAGES)
def test_exercise_and_test_look_different_from_the_real_thing(language: Language) -> None:
    starts = {
        status: texts.alert_sms("x", language, AlertKind.ALERT, status).body.split("x")[0]
        for status in Status
    }
    assert starts[Status.ACTUAL] == ""
    assert len(set(starts.values())) == 3


def test_prefix_names_status_and_kind() -> None:
    start = texts.prefix(Status.EXERCISE, AlertKind.UPDATE, "nl")
    assert start == "OEFENING - UPDATE: "


def message(message_type: MessageType, status: Status = Status.ACTUAL) -> Message:
    return Message(
        key=MessageKey("demo", message_type, "5f7c1f3e-1111-4222-8333-444455556666"),
        lane=Lane.COLD,
        status=status,
        kind="alert" if message_type is MessageType.ALERT else "feedback",
        references=None,
        network_ids=("n1",),
        content=Content(body={"nl": "De dief is gevat."}, subject={"nl": "Feedback"}),
        template="bulletin",
        issued_at=NOW,
        accepted_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        legal_basis="consent",
        house_rules={},
        communication_plan={},
    )


def test_mail_ends_with_what_to_do_and_marks_an_exercise() -> None:
    mail = texts.mail(message(MessageType.BULLETIN, Status.EXERCISE), "nl")
    assert mail.subject == "OEFENING: Feedback"
    assert mail.body.startswith("OEFENING: De dief is gevat.")
    assert mail.body.endswith(texts.CLOSING["nl"])


def test_warm_fallback_mail_has_a_subject_of_its_own() -> None:
    assert texts.mail(message(MessageType.ALERT), "nl").subject == "Dringend bericht van de politie"


@pytest.mark.parametrize(
    ("own", "network", "has", "expected"),
    [
        ("fr", ("nl",), ("nl", "fr"), "fr"),
        ("de", ("fr", "nl"), ("nl", "fr"), "fr"),
        ("de", ("en",), ("fr", "nl"), "nl"),
        ("en", (), ("fr",), "fr"),
    ],
)
def test_language_is_ones_own_then_the_networks_then_any(
    own: Language, network: tuple[Language, ...], has: tuple[Language, ...], expected: Language
) -> None:
    assert texts.choose_language(own, network, dict.fromkeys(has, "")) == expected


def test_all_languages_have_all_words() -> None:
    assert set(LANGUAGES) == set(get_args(Language)) == set(texts.CLOSING)
