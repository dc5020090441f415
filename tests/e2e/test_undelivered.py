"""A mail that is accepted and comes back: from the report to the record, and not written again."""

from collections import Counter

from tests.e2e.bulletins import released
from tests.e2e.local_stack import LocalStack, until


def test_a_mail_that_comes_back_is_on_record_as_undelivered_and_its_mailbox_is_spared(
    stack: LocalStack, marker: str
) -> None:
    # the coordinators' notices of the bulletin go before it, and may be among these
    stack.misbehave(channel="mail", fault="undelivered", count=6)
    bulletin_id = released(stack, marker)

    def lost() -> set[str]:
        return {
            mail["to"] for mail in stack.mail(f"Tip {marker}") if mail["status"] == "undelivered"
        }

    def reported() -> bool | None:
        sends = stack.sends(bulletin_id)
        known = [send["reason"] for send in sends if send["state"] == "undelivered"]
        through = len(stack.mail(f"Tip {marker}")) == len(sends) > 0
        return (through and known == ["invalid_address"] * len(lost())) or None

    until(reported, 60, "the audit log has what the reports say")
    assert lost()
    others = len(stack.mail(f"Tip {marker}")) - len(lost())
    again = released(stack, f"next {marker}")

    def complete() -> bool | None:
        ends = Counter(send["reason"] or send["state"] for send in stack.sends(again))
        return ends == {"accepted": others, "mailbox_refused": len(lost())} or None

    until(complete, 60, "all the others have the next one")
    assert lost().isdisjoint(stack.mailed(f"next {marker}"))
