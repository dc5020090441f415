"""'I got an SMS at 3 am, why?': from a number to the message, its reasons, and the proof."""

import json
from pathlib import Path

from cli.failures import WRONGLY_CALLED
from cli.police import approved, signed
from services.audit.verify import BROKEN, VERIFIED
from shared.clock import Clock
from shared.contracts.dispatcher import VerdictKind
from tests.e2e.local_stack import Json, LocalStack, Ran, until

WHY = "a member asks why their phone rang at 3 am"


def test_from_a_number_to_the_message_and_the_proof(
    stack: LocalStack, marker: str, numbers: list[str], tmp_path: Path
) -> None:
    alert = stack.alert(marker, approved_by="officer-2")
    approver = stack.key("officer-2")
    verdict = stack.judged(approved(signed(alert, stack.key(), Clock()), approver))
    assert verdict.verdict is VerdictKind.ACCEPTED, verdict
    stack.everyone_got_one(marker, numbers)
    number, file = numbers[0], tmp_path / "proof.json"
    with stack.api("audit", "auditor") as audit:

        def found() -> Json | None:
            query = {"destination": number, "reason": WHY}
            sends = audit.post("/v1/subjects/lookup", query)["items"]
            mine = [send for send in sends if send["message_id"] == alert.alert_id]
            return mine[0] if mine and mine[0]["state"] == "delivered" else None

        send = until(found, 40, "the send is found by its number")
        assert send["channel"] == "sms"
        assert send["basis"]["legal"]
        assert send["basis"]["house_rules"]
        life = audit.get(f"/v1/messages/{alert.alert_id}")
        assert (life["signer"], life["approver"]) == (stack.key().kid, approver.kid)
        assert set(life["network_ids"]) == set(alert.network_ids)
        said = next(item for item in life["timeline"] if item["entry"]["type"] == "original")
        original, place = said["private"], said["entry"]["index"]
        assert json.loads(original["value"])["text"] == dict(alert.text)
        assert original["signature"]
        assert original["approval"]
        page = audit.request("GET", f"/v1/messages/{alert.alert_id}/page?language=fr").text
        assert alert.text["fr"] in page
        assert approver.kid in page
        mine = audit.request(
            "POST", "/v1/subjects/page", json={"destination": number, "reason": WHY}
        ).text
        assert alert.text["nl"] in mine
        assert number not in mine
        stack.signed(max(send["index"], place) + 1)
        text_proof = tmp_path / "text-proof.json"
        path = f"/v1/zones/demo/entries/{place}/proof"
        text_proof.write_bytes(audit.request("GET", path).content)
        saved: bytes = audit.request("GET", f"/v1/messages/{alert.alert_id}").content
        path = f"/v1/zones/demo/entries/{send['index']}/proof"
        proof: bytes = audit.request("GET", path).content
        file.write_bytes(proof)
    ran = stack.run("verify-entry", file, "--key", stack.data / "log.pub.pem")
    assert (ran.code, ran.out.splitlines()[0]) == (VERIFIED, "VERIFIED."), ran
    for shown in (f"Entry {send['index']} of buurtbode/demo", f"send_id: {send['send_id']}"):
        assert shown in ran.out
    assert json.loads(proof)["entry"] == send
    other = proof.replace(b'"delivered"', b'"undelivered"')
    assert other != proof
    file.write_bytes(other)
    assert stack.run("verify-entry", file, "--key", stack.data / "log.pub.pem").code == BROKEN
    _the_text_is_proved(stack, text_proof, saved, alert.text["fr"])


def _the_text_is_proved(stack: LocalStack, proof: Path, saved: bytes, text: str) -> None:
    """Whoever has the answer and the proof sees that the text is what the police wrote."""
    part = proof.with_name("message.json")

    def checked(content: bytes) -> Ran:
        part.write_bytes(content)
        return stack.run("verify-entry", proof, "--key", stack.data / "log.pub.pem", "--part", part)

    ran = checked(saved)
    assert (ran.code, ran.out.splitlines()[0]) == (VERIFIED, "VERIFIED."), ran
    assert text in ran.out
    edited = saved.replace(text.encode(), b"All is well")
    assert edited != saved
    ran = checked(edited)
    assert (ran.code, ran.out) == (
        BROKEN,
        "NOT VERIFIED: the private part is not the one that the entry commits to.\n",
    )
    gone: Json = json.loads(saved)
    for item in gone["timeline"]:
        item["private"] = item["salt"] = None
    ran = checked(json.dumps(gone).encode())
    assert (ran.code, text in ran.out) == (VERIFIED, False)
    assert "nothing can be shown" in ran.out.lower()
    for useless in (b"nonsense", b"{}", proof.read_bytes()):
        ran = checked(useless)
        assert (ran.code, ran.out) == (WRONGLY_CALLED, "")
        assert "message.json" in ran.err
