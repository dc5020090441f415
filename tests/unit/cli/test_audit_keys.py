"""Files that are no keys: what an auditor is told of them, and that it is no verdict."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.audit.bundles import KEY, bundle_of, entries, vkey
from tests.unit.cli.conftest import Run

PUBLIC = KEY.public_key()
DER = PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a bundle, an audit service nobody runs, and files that are no keys."""
    (tmp_path / "bundle.ndjson").write_bytes(b"".join(bundle_of(entries(3))))
    (tmp_path / "log.der").write_bytes(DER)
    (tmp_path / "log.pem").write_bytes(PEM)
    (tmp_path / "other.vkey").write_text(vkey(log="other"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--key", "log.der"), "openssl pkey -pubin -inform DER -in log.der"),
        (("--key", "lgo.pem"), "cannot read lgo.pem (No such file or directory)"),
        (("--key", "log.pem", "--former-key", "gone.pem"), "cannot read gone.pem"),
        (("--key", "log.pem", "--witness", "gone.vkey"), "cannot read gone.vkey"),
        (("--key", "log.pem", "--kept", "log.der"), "neither a checkpoint nor a bundle"),
        (("--key", "log.pem", "--kept", "gone.note"), "cannot read gone.note"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_verify_says_which_file_is_none_and_gives_no_verdict(
    run: Run, options: tuple[str, ...], said: str
) -> None:
    ran = run("verify", "bundle.ndjson", *options)
    assert (ran.code, ran.out) == (2, ""), ran
    assert said in ran.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--key", "log.der"), "openssl pkey -pubin -inform DER -in log.der"),
        (("--key", "gone.pem"), "cannot read gone.pem"),
        (("--key", "log.pem", "--former-key", "log.der"), "-inform DER -in log.der"),
        (("--key", "other.vkey"), "key of buurtbode/other, not of buurtbode/demo"),
    ],
)
def test_witness_says_which_file_is_none_and_keeps_nothing(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("BUURTBODE_AUDIT", "http://127.0.0.1:1")
    monkeypatch.setenv("BUURTBODE_TOKEN", "none")
    where = ("--keep", "kept", "--witness-key", "own.pem", "--name", "witness.example.be")
    ran = run("witness", "demo", *options, *where, "--once")
    assert (ran.code, ran.out) == (2, ""), ran
    assert said in ran.err
    assert not (folder / "kept").exists()
    assert not (folder / "own.pem").exists()
