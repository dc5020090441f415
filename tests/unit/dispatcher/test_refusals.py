"""What a refusal leads to, whichever provider says it."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.dispatcher.domain.reasons import Fault, SendReason
from services.dispatcher.senders.base import Failed, NotSent, Outcome
from services.dispatcher.senders.refusals import refused

REST = timedelta(seconds=30)


@pytest.mark.parametrize(
    ("reason", "fault", "busy", "outcome", "loud"),
    [
        (SendReason.BLOCKED, Fault.PERMANENT, False, Failed("blocked"), False),
        (SendReason.RATE_LIMITED, Fault.TEMPORARY, False, NotSent("rate_limited"), False),
        (
            SendReason.SERVER_BUSY,
            Fault.TEMPORARY,
            True,
            NotSent("server_busy", everyone=True),
            False,
        ),
        (
            SendReason.ACCOUNT_SUSPENDED,
            Fault.OURS,
            False,
            NotSent("account_suspended", REST, everyone=True),
            True,
        ),
        (SendReason.REQUEST_INVALID, Fault.OURS, False, Failed("request_invalid"), True),
        (SendReason.UNKNOWN_CODE, Fault.PERMANENT, False, Failed("unknown_code"), True),
    ],
)
def test_a_refusal_is_final_or_passes_and_what_is_our_fault_or_unknown_is_loud(
    reason: SendReason, fault: Fault, outcome: Outcome, *, busy: bool, loud: bool
) -> None:
    before = _unknown()
    with capture_logs() as logs:
        assert refused("test", 12345, (reason, fault), busy=busy) == outcome
    assert bool(logs) is loud
    assert _unknown() - before == (reason is SendReason.UNKNOWN_CODE)


def _unknown() -> float:
    name = "buurtbode_unknown_provider_codes_total"
    return REGISTRY.get_sample_value(name, {"provider": "test"}) or 0
