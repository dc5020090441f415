"""Every problem says what is wrong and what to do, in nl, fr and en."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from services.registry.api.languages import preferred
from services.registry.api.problem_words import MISSING, PROBLEMS
from services.registry.domain import network
from services.registry.store.bulletins import Bulletins
from services.registry.store.members import Members
from services.registry.store.networks import Networks
from services.registry.store.zones import Zones

ROOT = Path(network.__file__).parents[3]
RAISED = {"Invalid", "Conflict", "Problem", "RowProblem"}
SAID_BY = {"Problem": 1, "RowProblem": 2}
"""Which argument is the kind; the first of the others."""


def raised() -> Iterator[str]:
    """Give every kind of problem that the registry's code names."""
    files = [*(ROOT / "services" / "registry").rglob("*.py")]
    files += [ROOT / "shared" / "http.py", ROOT / "shared" / "access.py"]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield from _kind(node, node.func.id)


def _kind(node: ast.Call, name: str) -> Iterator[str]:
    at = SAID_BY.get(name, 0)
    if name in RAISED and len(node.args) > at:
        kind = node.args[at]
        if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
            yield kind.value


def test_every_problem_has_words_in_every_language() -> None:
    """'Problem documents with a field, a reason and a next step, in the caller's language'."""
    found = set(raised())
    assert {"phone-taken", "no-phone-number", "not-found", "unavailable"} <= found
    assert found - PROBLEMS.keys() == set()
    for said in PROBLEMS.values():
        for words in (said["en"], said["nl"], said["fr"]):
            assert words.reason.endswith(".")
            assert words.next_step.endswith((".", "/docs."))


def test_every_unique_index_and_every_lack_has_words() -> None:
    taken = [store.taken for store in (Bulletins, Members, Networks, Zones)]
    kinds = {kind for table in taken for kind, _, _ in table.values()}
    assert {"phone-taken", "zone-id-taken"} <= kinds <= PROBLEMS.keys()
    assert MISSING.keys() == set(get_args(network.Missing))


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("nl-BE,nl;q=0.9", "nl"),
        ("fr;q=0.4, nl;q=0.8", "nl"),
        ("de, fr;q=0.5", "fr"),
        ("de", "en"),
        ("nl;q=0, fr;q=0.1", "fr"),
        ("fr;q=x", "en"),
    ],
)
def test_the_language_is_the_one_liked_best(header: str | None, language: str) -> None:
    assert preferred(header) == language
