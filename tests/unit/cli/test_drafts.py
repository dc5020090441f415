"""A draft holds the very bytes that were signed, and only what is a draft is read as one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import drafts, keyfile
from cli.failures import CommandError
from cli.police import signed
from shared.clock import Clock
from shared.contracts import Alert
from shared.contracts.base import AlertKind, Status
from shared.kafka import Outgoing


def _record() -> Outgoing:
    alert = Alert(
        alert_id=Clock().new_id(),
        zone_id="demo",
        network_ids=("bin-lindeveld",),
        kind=AlertKind.ALERT,
        status=Status.ACTUAL,
        event="missing_person",
        text={"fr": "Disparition inquiétante à 19h50 « rue Haute »", "nl": "Vermist 🚨"},
        issued_by="officer-1",
        issued_at=datetime.now(UTC),
        approved_by="officer-2",
    )
    return signed(alert, keyfile.new_key("demo", "officer-1", "k1"), Clock())


def test_what_was_written_is_read_to_the_byte(tmp_path: Path) -> None:
    record = _record()
    drafts.write(record, tmp_path / "draft.json")
    read, alert = drafts.read(tmp_path / "draft.json")
    assert read == record
    assert alert.approved_by == "officer-2"


def test_a_draft_is_not_overwritten(tmp_path: Path) -> None:
    drafts.write(_record(), tmp_path / "draft.json")
    before = (tmp_path / "draft.json").read_bytes()
    with pytest.raises(CommandError, match="not overwritten"):
        drafts.write(_record(), tmp_path / "draft.json")
    assert (tmp_path / "draft.json").read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'"a"', b'{"topic": "bin.alerts"}', b"\xff", b'{"headers": 1}']
)
def test_another_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.json").write_bytes(content)
    with pytest.raises(CommandError, match=r"other\.json"):
        drafts.read(tmp_path / "other.json")
