"""What a provider's refusal means for a send, and what of it is loud; for SMS and mail alike."""

from datetime import timedelta

import structlog
from prometheus_client import Counter

from services.dispatcher.domain.reasons import ACCOUNT_WIDE, Fault, SendReason
from services.dispatcher.senders.base import Failed, NotSent, Outcome

UNKNOWN_CODES = Counter(
    "buurtbode_unknown_provider_codes", "Provider codes that are in no table", ["provider"]
)

_REST_ACCOUNT = timedelta(seconds=30)
"""How long nothing goes out by an account that the provider refuses as such."""


def refused(
    provider: str,
    code: int | None,
    found: tuple[SendReason, Fault],
    *,
    status: int | None = None,
    busy: bool = False,
) -> Outcome:
    """Give the outcome of a refusal; `found` is what the provider's table says of its code.

    `status` is that of HTTP; `busy`: what may pass holds for everybody, not for this send alone.
    """
    reason, fault = found
    if reason is SendReason.UNKNOWN_CODE:
        tell_unknown(provider, code, status)
    elif fault is Fault.OURS:
        structlog.get_logger(provider=provider).error("provider refuses what we do", reason=reason)
    if reason in ACCOUNT_WIDE:
        return NotSent(reason, _REST_ACCOUNT, everyone=True)
    if fault is Fault.TEMPORARY:
        return NotSent(reason, everyone=busy)
    return Failed(reason)


def tell_unknown(provider: str, code: int | None, status: int | None = None) -> None:
    """Count and log a code that is in no table: somebody has to look it up."""
    UNKNOWN_CODES.labels(provider).inc()
    told = {} if status is None else {"state": status}
    structlog.get_logger(provider=provider).error("unknown provider code", reason=str(code), **told)
