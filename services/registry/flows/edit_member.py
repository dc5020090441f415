"""Correct what is held on a member."""

from typing import Any

from services.registry.domain import contact
from services.registry.domain.failures import Stale
from services.registry.domain.member import MemberRecord, check_present
from services.registry.flows.change_member import change_member
from services.registry.flows.context import Actor, Context
from services.registry.flows.create_member import ask_again
from shared.mongo import Session


async def edit_member(
    context: Context,
    actor: Actor,
    network_id: str,
    member_id: str,
    *,
    version: int,
    changes: dict[str, Any],
) -> MemberRecord:
    """Change the given fields of the version that the caller read.

    Whoever has not accepted yet gets their link at a new address: one that was sent to the former
    one does not reach them, and one that still waits is not sent at all.

    Raises `Stale` where there is a newer version, `Invalid` naming the field, `Conflict`.
    """
    values = _normalised(changes)

    def rule(before: MemberRecord) -> MemberRecord:
        if before.version != version:
            raise Stale
        check_present(before)
        wanted = dict(values)
        if "phone" in wanted and wanted["phone"] != before.phone:
            # STOP was said of the number that they had, not of the new one
            wanted["sms_stopped"] = False
        if all(getattr(before, name) == value for name, value in wanted.items()):
            return before
        after = before.changed(**wanted)
        if wanted.keys() & {"phone", "email"}:
            contact.check_reachable(after.phone, after.email)
        return after

    async def ask_there(session: Session, before: MemberRecord, after: MemberRecord) -> None:
        if after.email is not None and after.email != before.email:
            await ask_again(context, session, after)

    return await change_member(
        context, actor, network_id, member_id, action="member.edit", rule=rule, also=ask_there
    )


def _normalised(changes: dict[str, Any]) -> dict[str, Any]:
    values = dict(changes)
    if "phone" in values:
        found = None if values["phone"] is None else contact.phone(values["phone"])
        values["phone"] = None if found is None else found.e164
        values["phone_kind"] = None if found is None else found.kind
    if values.get("email") is not None:
        values["email"] = contact.email(values["email"])
    return values
