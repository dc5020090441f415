"""Cutting lists into pages."""

from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.pages import page_of


@given(st.lists(st.integers(), unique=True).map(sorted), st.integers(1, 10))
def test_pages_give_everything_once_and_the_last_one_says_so(items: list[int], most: int) -> None:
    given: list[int] = []
    cursor: int | None = None
    while True:
        left = [item for item in items if cursor is None or item > cursor]
        page = page_of(left[: most + 1], most, int)
        given += page.items
        assert len(page.items) == min(most, len(left))
        if page.next is None:
            break
        assert page.items, "no page is empty but the only one"
        cursor = page.next
    assert given == items
