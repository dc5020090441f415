"""Our fast canonical form is RFC 8785's, for every JSON value."""

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.canonical import canonical, canonical_loaded

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON)
def test_it_equals_the_reference(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # pyright: ignore[reportArgumentType]


@given(JSON)
def test_what_was_parsed_has_the_same_canonical_form(value: object) -> None:
    parsed = orjson.loads(rfc8785.dumps(value))  # pyright: ignore[reportArgumentType]
    try:
        expected = rfc8785.dumps(parsed)
    except ValueError:  # a large fraction is written as an integer, which is too large for one
        with pytest.raises(ValueError, match=r".*"):
            canonical_loaded(parsed)
        return
    assert canonical_loaded(parsed) == expected


@pytest.mark.parametrize("text", ["9007199254740992", '{"a":[{"b":-9007199254740992}]}'])
def test_a_parsed_number_that_has_no_canonical_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        canonical_loaded(orjson.loads(text))


@pytest.mark.parametrize("value", [2**53, float("nan"), "\ud800", {1: "x"}, object()])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        canonical(value)


def test_keys_sort_by_utf_16_as_the_rfc_says() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()
