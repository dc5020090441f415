"""What Twilio calls: receipts of SMS, and replies to them.

These are public, but answer only who knows the account's token and signs with its secret. A
signature covers the exact public URL (Twilio's "Validating requests"), so that is rebuilt from the
setting, whatever proxy stands before us.
"""

import hmac
from collections.abc import Mapping
from typing import Annotated, Any, cast
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Query, Request, Response
from twilio.request_validator import (  # pyright: ignore[reportMissingTypeStubs]
    RequestValidator,
)

from services.dispatcher.flows.answer_inbound import AnswerInbound
from services.dispatcher.flows.check_history import CheckHistory
from services.dispatcher.flows.take_receipt import TakeReceipt
from shared.access import not_found

router = APIRouter(prefix="/v1", tags=["provider"])

_LARGEST = 64 * 1024

Token = Annotated[str, Path(max_length=200)]


class Accounts:
    """The Twilio accounts whose requests are taken: the secret of each, by its URL token."""

    def __init__(self, public_url: str, secrets: Mapping[str, str]) -> None:
        """Keep the public URL that requests are signed for."""
        self._public_url = public_url.rstrip("/")
        self._secrets = dict(secrets)

    def check(self, request: Request, token: str, form: Mapping[str, str]) -> None:
        """Raise 404 unless the request is from one of the accounts."""
        secret = next(
            (
                secret
                for known, secret in self._secrets.items()
                if hmac.compare_digest(known.encode(), token.encode())
            ),
            None,
        )
        signature = request.headers.get("X-Twilio-Signature")
        if secret is None or signature is None or not signature.isascii():
            raise not_found()
        url = self._public_url + request.url.path
        if request.url.query:
            url += "?" + request.url.query
        validator = cast("Any", RequestValidator(secret))  # untyped
        if not validator.validate(url, form, signature):
            raise not_found()


async def _signed_form(request: Request, token: str) -> dict[str, str]:
    # parsed by hand: a receipt follows each SMS, and a general parser costs ten times as much
    accounts: Accounts = request.app.state.accounts
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise not_found()
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
    except ValueError:
        raise not_found() from None
    accounts.check(request, token, form)
    return form


@router.post("/receipts/twilio/{token}", status_code=204, response_class=Response)
async def receipt(
    request: Request, token: Token, attempt: Annotated[str, Query(max_length=80)]
) -> Response:
    """Take what became of one attempt. Doubled, late and out-of-order reports are harmless."""
    form = await _signed_form(request, token)
    history: CheckHistory = request.app.state.history
    history.require()  # 503: a restored database would make another event of it than before
    flow: TakeReceipt = request.app.state.take_receipt
    status = form.get("MessageStatus") or form.get("SmsStatus") or ""
    code = form.get("ErrorCode") or ""
    known = await flow.take(
        attempt,
        status,
        form.get("MessageSid") or form.get("SmsSid") or "",
        int(code) if code.isascii() and code.isdigit() else None,
    )
    if not known:
        raise not_found()
    return Response(status_code=204)


@router.post("/inbound/twilio/{token}", response_class=Response)
async def inbound(request: Request, token: Token) -> Response:
    """Answer a reply: it is not read, call 101. Nothing of it is kept."""
    await _signed_form(request, token)
    flow: AnswerInbound = request.app.state.answer_inbound
    return Response(await flow.answer(), media_type="application/xml")
