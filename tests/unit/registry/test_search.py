"""Finding a member by what a volunteer types."""

import pytest

from services.registry.domain.search import findable, wanted

MEMBER = findable("André De Ville-Dubois", "+32450123456", "a.deville@voorbeeld.example")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("andre", True),
        ("DUBOIS ville", True),
        ("Zoë", False),
        ("andre janssens", False),
        ("0450/12.34", True),
        ("+32 450 12", True),
        ("123456", True),
        ("0450 99", False),
        ("deville@voor", True),
        (".*", False),
        ("00", False),
    ],
)
def test_every_word_that_is_typed_has_to_fit(typed: str, *, found: bool) -> None:
    words = wanted(typed).words
    assert (bool(words) and all(word in MEMBER for word in words)) is found
