"""Lists in pages: `items`, and in `next` the cursor of the page that follows."""

from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

T = TypeVar("T", bound=BaseModel)

Cursor = Annotated[
    str | None, Query(max_length=200, description="`next` of the page before; none for the first.")
]
Limit = Annotated[int, Query(ge=1, le=500, description="How many items at most.")]
DEFAULT_LIMIT = 50


class Page(BaseModel, Generic[T]):  # no `View`, see there
    """One page of a list."""

    items: list[T]
    next: Annotated[str | None, Field(description="Where the list goes on; null at its end.")]


def paged(items: Sequence[T], limit: int, last: str | None) -> Page[T]:
    """Make a page; `last` is the cursor after its last item."""
    return Page[T](items=list(items), next=last if len(items) == limit else None)
