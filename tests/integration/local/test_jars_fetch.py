"""Fetching Kafka's jars with a repository that gives other bytes than expected."""

import hashlib
from pathlib import Path

import pytest

from deploy.local import jars
from deploy.local.jars import JarMismatchError, kafka_jars

_SMALL = "org.slf4j:slf4j-api:1.7.36"
"""One small jar: enough to go through the real resolver and the real repository."""

_JAR = "slf4j-api-1.7.36.jar"


@pytest.fixture(autouse=True)
def _one_jar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "COORDINATES", _SMALL)


def _sums(tmp_path: Path, total: str, name: str = _JAR) -> Path:
    sums = tmp_path / "sums"
    sums.write_text(f"{total}  {name}\n")
    return sums


def test_a_fetched_jar_with_another_sum_is_refused(tmp_path: Path) -> None:
    """It does not reach the cache, and nothing of the attempt is left."""
    with pytest.raises(JarMismatchError, match=_JAR):
        kafka_jars(tmp_path, _sums(tmp_path, hashlib.sha256(b"other").hexdigest()))
    assert list(tmp_path.rglob("*.jar")) == []


def test_a_jar_that_is_not_on_the_list_is_refused(tmp_path: Path) -> None:
    """A repository that resolves to something else is not trusted either."""
    total = jars.read_sums()[_JAR]
    with pytest.raises(JarMismatchError, match="not the jars of the list"):
        kafka_jars(tmp_path, _sums(tmp_path, total, "expected.jar"))


def test_a_fetched_jar_with_its_sum_is_kept_and_progress_is_told(tmp_path: Path) -> None:
    """The next call needs no repository."""
    told: list[tuple[int, int]] = []
    sums = _sums(tmp_path, jars.read_sums()[_JAR])
    (jar,) = kafka_jars(tmp_path, sums, lambda have, total: told.append((have, total)))
    assert jar.name == _JAR
    assert told[0] == (0, 1)
    assert told[-1] == (1, 1)
    told.clear()
    assert kafka_jars(tmp_path, sums, lambda have, total: told.append((have, total))) == (jar,)
    assert told == []
