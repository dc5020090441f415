"""'I got an SMS at 3 am, why?': from a number to the message, its reasons, and the proof."""

import base64
import json

from cli.police import approved, signed
from services.audit.domain.bundle import read_line
from services.audit.domain.merkle import leaf_hash, verify_inclusion
from services.audit.domain.notes import Checkpoint
from services.audit.verify import read_key
from shared.clock import Clock
from shared.contracts.dispatcher import VerdictKind
from tests.e2e.local_stack import Json, LocalStack, until

WHY = "a member asks why their phone rang at 3 am"


def test_from_a_number_to_the_message_and_the_proof(
    stack: LocalStack, marker: str, numbers: list[str]
) -> None:
    alert = stack.alert(marker, approved_by="officer-2")
    approver = stack.key("officer-2")
    verdict = stack.judged(approved(signed(alert, stack.key(), Clock()), approver))
    assert verdict.verdict is VerdictKind.ACCEPTED, verdict
    stack.everyone_got_one(marker, numbers)
    number = numbers[0]
    with stack.api("audit", "auditor") as audit:

        def found() -> Json | None:
            query = {"destination": number, "reason": WHY}
            sends = audit.post("/v1/subjects/lookup", query)["sends"]
            mine = [send for send in sends if send["message_id"] == alert.alert_id]
            return mine[0] if mine and mine[0]["state"] == "delivered" else None

        send = until(found, 40, "the send is found by its number")
        assert send["channel"] == "sms"
        assert send["basis"]["legal"]
        assert send["basis"]["house_rules"]
        life = audit.get(f"/v1/messages/{alert.alert_id}")
        assert (life["signer"], life["approver"]) == (stack.key().kid, approver.kid)
        assert set(life["network_ids"]) == set(alert.network_ids)
        original = next(
            item["private"] for item in life["timeline"] if item["entry"]["type"] == "original"
        )
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
        stack.signed(send["index"] + 1)
        proof = audit.get(f"/v1/zones/demo/entries/{send['index']}/proof")
        pem = (stack.data / "log.pub.pem").read_text()
        size = proof["size"]
        content: bytes = audit.request("GET", f"/v1/zones/demo/bundle?size={size}").content
    lines: list[bytes] = content.splitlines(keepends=True)
    header: Json = json.loads(lines[0])
    checkpoint = Checkpoint.open(header["checkpoint"], read_key(pem, "buurtbode/demo"))
    index: int = send["index"]
    read = read_line(lines[1 + index])
    assert base64.b64decode(proof["leaf_hash"]) == leaf_hash(read.body)
    hashes = [base64.b64decode(value) for value in proof["hashes"]]
    assert verify_inclusion(
        send["index"],
        size,
        base64.b64decode(proof["leaf_hash"]),
        hashes,
        checkpoint.root,
    )
    assert read.entry["send_id"] == send["send_id"]
