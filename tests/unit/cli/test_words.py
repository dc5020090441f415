"""What the commands say of an answer, in words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.commands.coverage import done, sentence
from cli.failures import CommandError
from cli.preview import show, summary
from cli.sending import acceptance, refusal
from cli.waiting import Waiter
from shared.contracts import Verdict
from shared.contracts.base import MessageType
from shared.contracts.dispatcher import LeftOut, Original, Reason, VerdictKind

_PREVIEW: dict[str, Any] = {
    "texts": [
        {
            "language": "nl",
            "body": "Brand [Molenstraat]",
            "subject": None,
            "encoding": "gsm7",
            "segments": 1,
            "too_long": False,
        }
    ],
    "networks": [
        {
            "network_id": "bin-molenwijk",
            "name": "BIN Molenwijk",
            "people": 44,
            "unreachable": 3,
            "by_mail": 2,
            "languages": [
                {
                    "language": "nl",
                    "people": 31,
                    "unreachable": 3,
                    "by_mail": 2,
                    "segments": 1,
                    "cost": "2.48",
                },
                {
                    "language": "fr",
                    "people": 10,
                    "unreachable": 0,
                    "by_mail": 0,
                    "segments": 1,
                    "cost": "0.80",
                },
            ],
            "cost": "3.28",
        }
    ],
    "left_out": [{"network_id": "bin-old", "reason": "network_not_active"}],
    "people": 44,
    "unreachable": 3,
    "by_mail": 2,
    "cost": "3.28",
    "approval_needed": True,
}


def _verdict(kind: VerdictKind, **fields: Any) -> Verdict:
    return Verdict(
        event_id="v1",
        ce_id="c1",
        original=Original(topic="bin.alerts", partition=0, offset=0, sha256="0" * 64),
        zone_id="demo",
        message_type=MessageType.ALERT,
        message_id="6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90",
        verdict=kind,
        explanation="The key was revoked; sign with another one.",
        judged_at=datetime.now(UTC),
        **fields,
    )


def test_a_coverage_names_every_state_and_how_fast_it_was() -> None:
    found = {
        "people": 10,
        "states": {"delivered": 6, "attempting": 1, "planned": 2, "unreachable": 1},
        "accepted_seconds": {"p50": 0.2, "p95": 0.4, "all": None},
        "closed": None,
    }
    assert sentence(found) == ("10 people: 1 attempting, 6 delivered, 2 planned, 1 unreachable")
    assert done(found) == (7, 10)
    found |= {"closed": {"revision": 1}, "accepted_seconds": {"all": 0.62}}
    assert sentence(found).endswith("the last one accepted after 0.6 s; closed")


def test_a_preview_counts_who_gets_it_and_who_cannot() -> None:
    assert summary(_PREVIEW) == (
        "1 network, 44 people: 43 can get it (2 of them by e-mail), 1 cannot be reached, "
        "about EUR 3.28."
    )
    assert "43 can get it" not in summary({**_PREVIEW, "by_mail": 0})
    assert "EUR" not in summary({**_PREVIEW, "cost": None})


def test_a_preview_shows_the_text_letter_for_letter(capsys: pytest.CaptureFixture[str]) -> None:
    show(_PREVIEW)
    said = capsys.readouterr().out
    assert "Brand [Molenstraat]" in said
    assert "nl, GSM7, 1 segment" in said
    assert "bin-old (network not active)" in said
    assert "second officer" in said
    assert "nl: 31, 3 unreachable, EUR 2.48" in said
    assert "fr: 10, EUR 0.80" in said


def test_an_acceptance_names_who_is_left_out() -> None:
    left = LeftOut(network_id="bin-old", reason=Reason.NETWORK_NOT_ACTIVE)
    verdict = _verdict(VerdictKind.ACCEPTED, people=3, network_ids=("a", "b"), left_out=(left,))
    assert acceptance(verdict) == [
        "Accepted: 6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90 (2 networks, 3 people).",
        "  left out: bin-old (network not active)",
    ]


def test_a_refusal_has_the_explanation_for_people_and_the_code_for_systems() -> None:
    verdict = _verdict(VerdictKind.REFUSED, reason=Reason.KEY_REVOKED)
    assert refusal(verdict) == (
        "Refused: The key was revoked; sign with another one. [key_revoked]"
    )


def test_a_wait_is_bounded_and_says_what_did_not_happen() -> None:
    looks = iter([None, None, "there"])
    assert Waiter().until(lambda: next(looks), 5, "something") == "there"
    with pytest.raises(CommandError, match="in vain: something"):
        Waiter().until(lambda: None, 0, "something")


def test_a_wait_ends_when_it_is_told_to() -> None:
    waiter = Waiter()
    waiter.stop()
    with pytest.raises(CommandError, match="stopped"):
        waiter.until(lambda: None, 600, "something")
