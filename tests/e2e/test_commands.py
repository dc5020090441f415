"""The command line as officers, operators and auditors use it, on the real stack."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import demo_data, drafts
from cli.api import RefusedError
from cli.demo_people import NETWORKS, audience, people
from cli.police import approved
from shared.records import Outgoing
from shared.topics import ALERTS
from tests.e2e.bulletins import released
from tests.e2e.local_stack import LocalStack, Ran, until
from tests.support.cap import DUTCH, FRENCH, SQUARE, document

NETWORK = demo_data.network_id("molenwijk")


@pytest.fixture
def molenwijk() -> list[str]:
    """Give the phones of one network."""
    return [str(p.phone) for p in audience() if "molenwijk" in p.networks]


def _alert(stack: LocalStack, marker: str, *more: object) -> Ran:
    return stack.run(
        "alert",
        *("--key", stack.key_file(), "--network", NETWORK, "--event", "fire"),
        *("--nl", f"Brand {marker}", "--fr", f"Incendie {marker}", *more),
    )


def _id(ran: Ran) -> str:
    """Take the alert's id out of what the command said."""
    assert ran.code == 0, ran.err
    return ran.out.partition("Accepted: ")[2].partition(" ")[0]


def test_an_alert_from_the_command_line_is_previewed_sent_and_followed(
    stack: LocalStack, marker: str, molenwijk: list[str]
) -> None:
    ran = _alert(stack, marker, "--yes")
    alert_id = _id(ran)
    everyone = sum("molenwijk" in p.networks and not p.leaves for p in people())
    assert f"Accepted: {alert_id} (1 network, {everyone} people)" in ran.out
    assert "GSM7" in ran.out
    assert f"1 network, {everyone} people: {len(molenwijk)} can get it" in ran.out
    stack.everyone_got_one(marker, molenwijk)
    followed = stack.run("coverage", alert_id, "--follow", "--for", 2)
    assert followed.code == 0, followed.err
    assert "people" in followed.out


def test_what_may_not_have_arrived_is_sent_again_and_goes_out_once(
    stack: LocalStack, marker: str, molenwijk: list[str], tmp_path: Path
) -> None:
    """The file is that of a client who heard of no verdict; `resend` says whether there was one."""
    draft, kept = tmp_path / "draft.json", tmp_path / "kept.json"
    ran = _alert(stack, marker, "--draft", draft, "--approver", "officer-2")
    assert ran.code == 0, ran.err
    record, _ = drafts.read(draft)
    drafts.write(approved(record, stack.key("officer-2")), kept)
    alert_id = _id(stack.run("resend", kept))
    again = stack.run("resend", kept)
    assert (again.code, f"It had arrived: {alert_id}" in again.out) == (0, True), again.err
    stack.everyone_got_one(marker, molenwijk)


def test_a_preview_sends_nothing(stack: LocalStack, marker: str) -> None:
    ran = _alert(stack, marker, "--preview")
    assert ran.code == 0, ran.err
    assert f"Brand {marker}" in ran.out
    assert "BIN Molenwijk" in ran.out
    assert "Accepted" not in ran.out
    assert stack.sms(marker) == []


def test_where_nobody_can_be_asked_nothing_goes_out_without_yes(
    stack: LocalStack, marker: str
) -> None:
    ran = _alert(stack, marker)
    assert ran.code == 1
    assert "--yes" in ran.err
    assert stack.sms(marker) == []


def test_on_a_terminal_it_asks_for_what_is_missing_and_to_confirm(
    stack: LocalStack, marker: str, molenwijk: list[str]
) -> None:
    said = stack.converse(
        ("alert", "--key", stack.key_file(), "--event", "fire"),
        {
            "Which networks": NETWORK,
            "Text in Dutch": f"Brand {marker}",
            "Text in French": "",
            "Text in German": "",
            "Text in English": "",
            "Send this alert now?": "y",
        },
    )
    assert "GSM7" in said
    assert "Accepted: " in said
    stack.everyone_got_one(marker, molenwijk)


def test_on_a_terminal_no_means_no(stack: LocalStack, marker: str) -> None:
    said = stack.converse(
        (
            *("alert", "--key", stack.key_file(), "--event", "fire"),
            *("--network", NETWORK, "--nl", f"Brand {marker}"),
        ),
        {"Send this alert now?": "n"},
    )
    assert "Accepted" not in said
    assert stack.sms(marker) == []


def test_what_is_missing_is_named(stack: LocalStack) -> None:
    ran = stack.run("alert", "--key", stack.key_file(), "--nl", "Brand", "--yes")
    assert ran.code == 1
    assert "--network" in ran.err
    assert "--event" in ran.err
    assert "Traceback" not in ran.err


def test_an_update_goes_to_who_had_the_alert_and_an_all_clear_ends_it(
    stack: LocalStack, marker: str, molenwijk: list[str]
) -> None:
    alert_id = _id(_alert(stack, f"{marker}a", "--yes"))
    stack.everyone_got_one(f"{marker}a", molenwijk)
    _id(_alert(stack, f"{marker}b", "--yes", "--update", alert_id))
    stack.everyone_got_one(f"{marker}b", molenwijk)
    _id(_alert(stack, f"{marker}c", "--yes", "--all-clear", alert_id))
    stack.everyone_got_one(f"{marker}c", molenwijk)


def test_a_refusal_is_said_with_its_reason_and_fails(
    stack: LocalStack, marker: str, tmp_path: Path
) -> None:
    path = tmp_path / "alert.json"
    path.write_text(
        json.dumps({"network_ids": ["bin-nowhere"], "event": "fire", "text": {"nl": marker}})
    )
    ran = stack.run("alert", "--key", stack.key_file(), "--file", path, "--yes")
    assert ran.code == 1
    assert "Refused: The zone has no such network." in ran.err
    assert "[unknown_network]" in ran.err


def test_a_field_that_is_wrong_is_named_before_anything_is_sent(
    stack: LocalStack, tmp_path: Path
) -> None:
    path = tmp_path / "alert.json"
    path.write_text(
        json.dumps({"network_ids": [NETWORK], "event": "picnic", "text": {"nl": "Brand"}})
    )
    ran = stack.run("alert", "--key", stack.key_file(), "--file", path, "--yes")
    assert ran.code == 1
    assert "event" in ran.err
    assert "Traceback" not in ran.err


def test_a_draft_goes_out_once_the_other_officer_approves_it(
    stack: LocalStack, marker: str, molenwijk: list[str], tmp_path: Path
) -> None:
    draft = tmp_path / "draft.json"
    ran = _alert(stack, marker, "--draft", draft, "--approver", "officer-2")
    assert ran.code == 0, ran.err
    assert stack.sms(marker) == []
    mine = stack.run("approve", draft, "--key", stack.key_file("officer-1"), "--yes")
    assert mine.code == 1
    assert "officer-2" in mine.err
    theirs = stack.run("approve", draft, "--key", stack.key_file("officer-2"), "--yes")
    assert theirs.code == 0, theirs.err
    stack.everyone_got_one(marker, molenwijk)


def test_a_new_key_counts_once_enrolled_and_confirmed_until_revoked(
    stack: LocalStack, marker: str, molenwijk: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "new.jwk"
    made = stack.run(
        "keys", "new", "--zone", "demo", "--officer", "officer-1", "--out", path, "--enrol"
    )
    assert made.code == 0, made.err
    kid = json.loads(path.read_text())["kid"]

    def send(word: str) -> Ran:
        return stack.run(
            "alert",
            *("--key", path, "--network", NETWORK, "--event", "fire", "--nl", f"{marker}{word}"),
            "--yes",
        )

    early = send("early")
    assert early.code == 1
    assert "[key_not_confirmed]" in early.err
    own = stack.run("keys", "confirm", kid, "--zone", "demo", "--as", "police")
    assert own.code == 1, "an officer must not confirm their own key"
    confirmed = stack.run("keys", "confirm", kid, "--zone", "demo", "--as", "police-2")
    assert confirmed.code == 0, confirmed.err
    good = until(lambda: send("good") if _knows(stack, kid) else None, 20, "the key counts")
    assert good.code == 0, good.err
    stack.everyone_got_one(f"{marker}good", molenwijk)
    assert stack.run("keys", "revoke", kid, "--zone", "demo").code == 0
    assert kid in stack.run("keys", "list", "--zone", "demo").out
    late = send("late")
    assert late.code == 1
    assert "[key_revoked]" in late.err


def _knows(stack: LocalStack, kid: str) -> bool:
    return kid in stack.run("keys", "list", "--zone", "demo").out


def test_a_bulletin_waits_for_its_coordinators_and_then_reaches_the_mailboxes(
    stack: LocalStack, marker: str
) -> None:
    ran = stack.run(
        "bulletin",
        *("--key", stack.key_file(), "--network", NETWORK, "--kind", "prevention"),
        *("--subject-nl", f"Tip {marker}", "--nl", "Sluit de deur.", "--yes"),
    )
    bulletin_id = _id(ran)
    assert stack.mail(marker) == []
    with stack.api("registry", "coordinator") as registry:
        where = f"/v1/networks/{NETWORK}/bulletins/{bulletin_id}"
        assert registry.get(where)["state"] == "waiting"
        for _ in range(2):  # again is the same
            assert registry.post(f"{where}/release")["state"] == "released"
    wanted = sorted(p.email for p in people() if "molenwijk" in p.networks and not p.leaves)

    def complete() -> list[str] | None:
        found = sorted(stack.mailed(marker))
        return found if len(found) >= len(wanted) else None

    assert until(complete, 60, "everybody has the mail") == wanted


def test_a_zone_gets_its_client_and_loses_it(stack: LocalStack) -> None:
    added = stack.run("client", "add", "--zone", "testville")
    assert added.code == 0, added.err
    assert "police-testville" in stack.stack().kafka.users
    with stack.police("testville"):
        pass
    revoked = stack.run("client", "revoke", "--zone", "testville")
    assert revoked.code == 0, revoked.err
    assert "police-testville" not in stack.stack().kafka.users
    assert stack.run("client", "revoke", "--zone", "testville").code == 1


def test_the_cluster_is_as_the_table_says(stack: LocalStack) -> None:
    ran = stack.run("topics", "apply")
    assert ran.code == 0, ran.err
    assert "Nothing to do" in ran.out


def test_the_status_names_who_is_not_ready(stack: LocalStack) -> None:
    ran = stack.run("status")
    assert ran.code == 0, ran.err
    rows = [line.split("\t") for line in ran.out.splitlines()[1:4]]
    assert [row[:2] for row in rows] == [
        ["registry", "yes"],
        ["dispatcher", "yes"],
        ["audit", "yes"],
    ]
    logs = {line.split("\t")[0]: line.split("\t")[3] for line in ran.out.splitlines()[6:]}
    assert logs["demo"].endswith(": whole")
    until(
        lambda: (
            all(r.split("\t")[2] == "0" for r in stack.run("status").out.splitlines()[1:4]) or None
        ),
        30,
        "nobody is behind",
    )


def test_everything_can_be_published_again(stack: LocalStack) -> None:
    least = {"bin.zones": 1, "bin.networks": len(NETWORKS), "bin.members": 1, "bin.erasures": 0}
    for topic, wanted in least.items():
        ran = stack.run("republish", topic)
        assert ran.code == 0, ran.err
        assert int(ran.out.split()[2]) >= wanted


def test_a_token_of_ones_own_opens_what_its_role_may_see(stack: LocalStack) -> None:
    ran = stack.run("token", "--role", "police", "--zone", "demo", "--sub", "officer-9")
    assert ran.code == 0, ran.err
    assert ran.out.strip().count(".") == 2
    wrong = stack.run("token", "--role", "king", "--sub", "me")
    assert wrong.code == 1
    assert "police" in wrong.err


def test_pseudonym_keys_are_made_once_and_destroyed_on_purpose(stack: LocalStack) -> None:
    assert "Made the key" in stack.run("pseudonyms", "rotate", "--zone", "oldtown").out
    assert "Nothing to do" in stack.run("pseudonyms", "rotate", "--zone", "oldtown").out
    ring = json.loads((stack.data / "secrets" / "pseudonyms.json").read_text())
    for year in ring["oldtown"]:  # all of them: one that is missing is complained about
        asked = stack.run("pseudonyms", "destroy", "--zone", "oldtown", "--year", year)
        assert asked.code == 1
        done = stack.run("pseudonyms", "destroy", "--zone", "oldtown", "--year", year, "--yes")
        assert done.code == 0, done.err
    after = json.loads((stack.data / "secrets" / "pseudonyms.json").read_text())
    assert not after["oldtown"]


def test_an_auditor_verifies_the_log_offline(
    stack: LocalStack, marker: str, tmp_path: Path
) -> None:
    with stack.api("audit", "auditor") as audit:
        kept = tmp_path / "kept.txt"
        kept.write_bytes(audit.request("GET", "/v1/zones/demo/checkpoint").content)
    alert_id = _id(_alert(stack, marker, "--yes"))
    until(lambda: stack.recorded(alert_id) or None, 60, "the alert is in the signed log")
    bundle = tmp_path / "bundle.ndjson"
    bundle.write_bytes(stack.bundle())
    key = stack.data / "log.pub.pem"
    good = stack.run("verify", bundle, "--key", key, "--kept", kept)
    assert good.code == 0, good.out + good.err
    unproven = stack.run("verify", bundle)
    assert unproven.code not in {0, 1}
    assert "author unproven" in unproven.out
    content = bundle.read_bytes()
    at = content.index(alert_id.encode())
    bundle.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    bad = stack.run("verify", bundle, "--key", key)
    assert bad.code == 1
    assert "NOT VERIFIED" in bad.out


def test_a_given_up_record_is_listed_without_its_contents_judged_anew_and_dropped(
    stack: LocalStack, marker: str
) -> None:
    with stack.police() as police:
        police.publish(Outgoing(ALERTS.name, "demo", f"no JSON: {marker}".encode(), ()))

    def listed() -> str | None:
        ran = stack.run("dlq", "list")
        assert ran.code == 0, ran.err
        assert marker not in ran.out
        lines = [line for line in ran.out.splitlines() if line.startswith("dispatcher.alerts.")]
        return lines[-1].split("\t")[0] if lines else None

    letter = until(listed, 20, "the record is given up")
    shown = stack.run("dlq", "show", letter)
    assert "sha256: " in shown.out
    assert marker not in shown.out
    again = stack.run("dlq", "replay", letter, "--reason", "perhaps it reads now")
    assert again.code == 1
    assert "given up again" in again.err
    assert stack.run("dlq", "drop", letter, "--reason", "it never was an alert").code == 0
    assert letter not in stack.run("dlq", "list").out
    assert letter in stack.run("dlq", "list", "--history").out
    assert stack.run("dlq", "show", letter).code == 1


def test_sends_of_unknown_outcome_are_listed(stack: LocalStack) -> None:
    ran = stack.run("sends", "unknown")
    assert ran.code == 0, ran.err
    assert "Nothing" in ran.out


def test_a_cap_document_warns_where_its_polygon_lies_until_another_cancels_it(
    stack: LocalStack, marker: str, molenwijk: list[str], tmp_path: Path
) -> None:
    place = [[float(one) for one in pair.split(",")][::-1] for pair in SQUARE.split()]
    with stack.api("registry", "police") as registry:
        where = f"/v1/networks/{NETWORK}"
        drawn = {"area": {"type": "Polygon", "coordinates": [place]}}
        tag = registry.request("GET", where).headers["ETag"]
        registry.request("PATCH", where, json=drawn, headers={"If-Match": tag})
    now = datetime.now(UTC).replace(microsecond=0)
    ends = f"{now + timedelta(hours=1):%FT%T}+00:00"
    infos = (DUTCH + FRENCH).replace("2026-11-22T16:00:00+01:00", ends)
    for word in ("Inbraak", "Cambriolage"):
        infos = infos.replace(f"{word} ", f"{word} {marker} ")
    sent = f"{now:%FT%T}+00:00"
    path = tmp_path / "alert.xml"
    path.write_bytes(document(infos, identifier=marker, sent=sent))
    ran = stack.run("alert", "--key", stack.key_file(), "--cap", path, "--yes")
    alert_id = _id(ran)
    assert "1 network" in ran.out
    assert "Not matched: " in ran.out  # the other networks are lists of streets
    texts = {sms["body"] for sms in stack.everyone_got_one(marker, molenwijk)}
    assert any("Cambriolage" in text for text in texts)
    assert any("Inbraak" in text for text in texts)
    over = {"msgType": "Cancel", "references": f"pz-demo.example,{marker},{sent}"}
    path.write_bytes(document(infos, identifier=f"{marker}-over", sent=sent, **over))
    ran = stack.run("alert", "--key", stack.key_file(), "--cap", path, "--yes")
    assert ran.code == 0, ran.err
    until(
        lambda: len(stack.sms(marker)) == 2 * len(molenwijk) or None,
        30,
        f"the all-clear of {alert_id} to whoever was warned",
    )


@pytest.mark.timeout(180)
def test_an_operator_says_what_became_of_mails_whose_server_never_answered(
    stack: LocalStack, marker: str
) -> None:
    stack.misbehave(channel="mail", fault="accept_then_drop", seconds=60)
    bulletin_id = released(stack, marker)
    until(lambda: _states(stack, bulletin_id)["unknown"] or None, 60, "a mail is unknown")
    stack.behave()
    open_ones = ("planned", "claimed", "attempting")
    until(
        lambda: not any(_states(stack, bulletin_id)[one] for one in open_ones) or None,
        60,
        "the other mails are through",
    )
    unknown = _states(stack, bulletin_id)["unknown"]
    listed = stack.run("sends", "unknown", "--message", bulletin_id)
    assert listed.out.count(bulletin_id) == unknown, listed.err
    said = ("--as", "accepted", "--reason", "the server's log names it")
    ran = stack.run("sends", "settle", "--message", bulletin_id, *said)
    assert f"Settled as accepted: {unknown} send" in ran.out, ran.err
    assert "Nothing" in stack.run("sends", "unknown", "--message", bulletin_id).out
    none = stack.run("sends", "settle", "--message", bulletin_id, *said)
    assert (none.code, "nothing to settle" in none.err) == (1, True)
    settled_ones = [one["send_id"] for one in stack.sends(bulletin_id)][:1]
    ran = stack.run("sends", "settle", "0" * 32, *settled_ones, *said)
    assert f"{'0' * 32}: " in ran.out
    assert "Settled as accepted: 1 send" in ran.out or settled_ones[0] in ran.out
    assert (ran.code, "not settled, as said above" in ran.err) == (1, True)

    def recorded() -> bool | None:
        settled = [one for one in stack.sends(bulletin_id) if one["reason"] == "settled"]
        return len(settled) == unknown or None

    until(recorded, 30, "the audit log has it")


def _states(stack: LocalStack, message_id: str) -> Counter[str]:
    try:
        return Counter(stack.coverage(message_id)["states"])
    except RefusedError:
        return Counter()  # the dispatcher has not read of it yet
