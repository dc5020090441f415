"""One page of a list, and where the next one begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Cursor = TypeVar("Cursor", int, str)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item, Cursor]):
    """Some of what was found, in its order."""

    items: list[Item]
    next: Cursor | None
    """What the next page comes after; None at the end."""


def page_of(
    found: Sequence[Item], most: int, cursor: Callable[[Item], Cursor]
) -> Page[Item, Cursor]:
    """Cut a page of at most so many items off what was found.

    One item more has to be looked for than is shown: it tells whether there is another page.
    """
    shown = [*found[:most]]
    return Page(shown, cursor(shown[-1]) if len(found) > most else None)
