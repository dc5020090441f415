"""The public links of a mail: `accept/{token}` and `unsubscribe/{token}`.

Whoever holds the link is the member. A GET shows a page and changes nothing, since mail scanners
open links; a POST acts.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from services.registry.api.pages import Button, Pages, words_of
from services.registry.api.rights_words import RIGHTS
from services.registry.api.scopes import Wired
from services.registry.domain.failures import Conflict, NotThere
from services.registry.domain.member import MemberRecord
from services.registry.domain.network import NetworkRecord
from services.registry.flows.accept_house_rules import accept_by_link
from services.registry.flows.context import Context
from services.registry.flows.leave_network import leave_by_link
from services.registry.flows.refuse_cold_mail import refuse_cold_mail
from services.registry.flows.show_document import show_document
from shared.contracts.base import Language

router = APIRouter(tags=["public"], default_response_class=HTMLResponse)

ONE_CLICK = ("List-Unsubscribe", "One-Click")
"""What a mail program posts for its user (RFC 8058)."""

_ADULT = "adult"
_LEAVE = ("action", "leave")


def pages_of(request: Request) -> Pages:
    """Give what `app.api` made."""
    pages: Pages = request.app.state.pages
    return pages


Shown = Annotated[Pages, Depends(pages_of)]


@router.get("/accept/{token}")
async def get_accept(token: str, context: Wired, pages: Shown) -> HTMLResponse:
    """Show the house rules that a member is asked to accept."""
    try:
        member = await context.members.by_token("accept_token", token)
    except NotThere:
        return pages.unknown_link()
    return await _accept_page(context, pages, member)


@router.post("/accept/{token}")
async def post_accept(request: Request, token: str, context: Wired, pages: Shown) -> HTMLResponse:
    """Accept the house rules that the page showed."""
    form = await request.form()
    version = _number(form)
    try:
        adult = form.get(_ADULT) == "yes"
        member = await accept_by_link(context, token, version, adult=adult)
    except NotThere:
        return pages.unknown_link()
    except Conflict:
        member = await context.members.by_token("accept_token", token)
        return await _accept_page(context, pages, member, status=409)
    if member.acceptance is None or member.acceptance.version < version:
        if member.state == "pending" and not adult:
            return await _accept_page(context, pages, member, unsure=True, status=422)
        return await _accept_page(context, pages, member, changed=True, status=409)
    return await _accept_page(context, pages, member)


async def _accept_page(
    context: Context,
    pages: Pages,
    member: MemberRecord,
    *,
    changed: bool = False,
    unsure: bool = False,
    status: int = 200,
) -> HTMLResponse:
    words = words_of(member.language)
    network = await context.networks.get(member.network_id)
    current = network.documents.get("house_rules")
    title = words.accept_title
    said: list[str] = []
    text: str | None = None
    buttons: list[Button] = []
    if member.state == "left":
        said = [words.left]
    elif network.state == "dissolved":
        said = [words.not_now]
    elif current is None:
        said = [words.no_rules]
    elif member.acceptance is not None and member.acceptance.version >= current:
        said = [words.accepted]
    else:
        said = [words.adult_needed] if unsure else []
        said += [words.changed] if changed else []
        said += [words.accept_intro, words.accept_voluntary]
        text = await _rules(context, network, member.language)
        # who is a member said so when they joined
        confirm = (_ADULT, words.adult) if member.state == "pending" else None
        buttons = [Button("version", str(current), words.accept_button, confirm=confirm)]
    return pages.show(
        member.language,
        title,
        said,
        network=network.name,
        text=text,
        link=_notice(member),
        buttons=buttons,
        status=status,
    )


def _notice(member: MemberRecord) -> tuple[str, str]:
    """Link to the privacy notice, in the member's language."""
    path = f"../zones/{member.zone_id}/privacy?language={member.language}"
    return path, RIGHTS[member.language].notice_title


async def _rules(context: Context, network: NetworkRecord, language: Language) -> str:
    document = await show_document(context, network, "house_rules")
    for wanted in (language, *network.languages):
        if wanted in document.text:
            return document.text[wanted]
    return next(iter(document.text.values()))


@router.get("/unsubscribe/{token}")
async def get_unsubscribe(token: str, context: Wired, pages: Shown) -> HTMLResponse:
    """Show what can be stopped: cold mail only, or the membership."""
    try:
        member = await context.members.by_token("unsubscribe_token", token)
    except NotThere:
        return pages.unknown_link()
    return await _stop_page(context, pages, member)


@router.post("/unsubscribe/{token}")
async def post_unsubscribe(
    request: Request, token: str, context: Wired, pages: Shown
) -> HTMLResponse:
    """Stop cold mail (`List-Unsubscribe=One-Click`), or leave the network (`action=leave`)."""
    form = await request.form()
    try:
        if form.get(_LEAVE[0]) == _LEAVE[1]:
            member = await leave_by_link(context, token)
        elif form.get(ONE_CLICK[0]) == ONE_CLICK[1]:
            member = await refuse_cold_mail(context, token)
        else:
            # neither button: nothing is changed by guessing
            member = await context.members.by_token("unsubscribe_token", token)
            return await _stop_page(context, pages, member, status=400)
    except NotThere:
        return pages.unknown_link()
    return await _stop_page(context, pages, member)


async def _stop_page(
    context: Context, pages: Pages, member: MemberRecord, *, status: int = 200
) -> HTMLResponse:
    words = words_of(member.language)
    network = await context.networks.get(member.network_id)
    leave = Button(*_LEAVE, words.leave_button, words.leave_text)
    refuse = Button(*ONE_CLICK, words.refuse_button, words.refuse_text)
    if member.state == "left":
        said, buttons = words.left, []
    elif not member.cold_mail:
        said, buttons = words.refused, [leave]
    else:
        said, buttons = words.leave_intro, [refuse, leave]
    return pages.show(
        member.language,
        words.leave_title,
        [said],
        network=network.name,
        buttons=buttons,
        status=status,
    )


def _number(form: FormData) -> int:
    value = form.get("version")
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:9])
    return 0
