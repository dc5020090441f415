"""Kafka's jars: a single differing byte is refused."""

import hashlib
from pathlib import Path

import pytest

from deploy.local.jars import (
    KAFKA_VERSION,
    SUMS,
    JarMismatchError,
    cache_folder,
    kafka_jars,
    read_sums,
)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Give a cache with two jars, and the list of their sums beside it."""
    folder = tmp_path / f"kafka-{KAFKA_VERSION}"
    folder.mkdir()
    lines: list[str] = []
    for name in ("one.jar", "two.jar"):
        (folder / name).write_bytes(name.encode())
        lines.append(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n")
    (tmp_path / "sums").write_text("".join(lines))
    return tmp_path


def test_jars_that_are_what_they_should_be_are_given(cache: Path) -> None:
    """In the order of the list, without a fetch."""
    found = kafka_jars(cache, cache / "sums")
    assert [jar.name for jar in found] == ["one.jar", "two.jar"]


def test_a_jar_that_differs_is_refused_by_name(cache: Path) -> None:
    """Also when only one byte was added after the fetch."""
    with (cache / f"kafka-{KAFKA_VERSION}" / "two.jar").open("ab") as jar:
        jar.write(b"!")
    with pytest.raises(JarMismatchError, match=r"two\.jar"):
        kafka_jars(cache, cache / "sums")


def test_the_list_covers_a_whole_class_path() -> None:
    """Every line is a SHA-256 sum of another jar, Kafka's own among them."""
    sums = read_sums(SUMS)
    assert f"kafka-server-{KAFKA_VERSION}.jar" in sums
    assert f"kafka_2.13-{KAFKA_VERSION}.jar" in sums
    assert all(len(bytes.fromhex(total)) == 32 for total in sums.values())
    assert len(set(sums.values())) == len(sums) == 46


def test_the_cache_follows_the_desktop_rule(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`XDG_CACHE_HOME` where it is set, else `~/.cache`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "buurtbode"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "buurtbode"
