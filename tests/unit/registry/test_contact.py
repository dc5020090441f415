"""Phone numbers and addresses, as people write them."""

import string

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain import contact
from services.registry.domain.failures import Invalid
from shared.destinations import Phone

# no operator has the range 0450: these numbers belong to nobody
subscribers = st.integers(min_value=0, max_value=999_999).map(lambda number: f"{number:06}")
separators = st.sampled_from(["", " ", ".", "/", "-", " / "])


@given(subscribers, separators, separators, st.sampled_from(["0", "+32", "0032", "+32 (0)"]))
def test_every_spelling_of_a_number_is_the_same_number(
    digits: str, first: str, later: str, start: str
) -> None:
    """Rules text: "Phone numbers are E.164 through `phonenumbers`"."""
    written = f"{start}450{first}{digits[:2]}{later}{digits[2:4]}{later}{digits[4:]}"

    found = contact.phone(written)

    assert found == Phone(f"+32450{digits}", "mobile")
    assert contact.phone(found.e164) == found


@pytest.mark.parametrize("written", ["09 300 00 00", "+3293000000"])
def test_a_fixed_line_is_told_apart(written: str) -> None:
    """Rules text: "mobile or fixed told apart"."""
    assert contact.phone(written) == Phone("+3293000000", "fixed")


@pytest.mark.parametrize(
    "written",
    ["", "101", "112", "0450 12", "0900 12 345", "0800 11 111", "niemand", "0450123456 ext. 7"],
)
def test_what_is_no_personal_number_is_refused_with_its_field(written: str) -> None:
    with pytest.raises(Invalid) as refused:
        contact.phone(written, "phone")

    assert refused.value.field == "phone"
    assert written == "" or written not in refused.value.detail


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused(written: str) -> None:
    try:
        found = contact.phone(written)
    except Invalid:
        return
    assert found.e164.startswith("+")
    assert contact.phone(found.e164) == found


local_parts = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)


@given(local_parts, st.sampled_from(["voorbeeld.example", "VOORBEELD.example", "exämple.example"]))
def test_an_address_is_lower_case_ascii_and_stays_as_it_is(local: str, domain: str) -> None:
    """Rules text: "addresses are normalised"."""
    found = contact.email(f" {local}@{domain} ")

    assert found.isascii()
    assert found == found.lower()
    assert contact.email(found) == found


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(written: str) -> None:
    try:
        found = contact.email(written)
    except Invalid:
        return
    assert contact.email(found) == found


nationals = st.from_regex(r"[1-9][0-9]{7,8}", fullmatch=True)


@given(st.sampled_from(["0", "+32", "0032", "0032 0", ""]), nationals, separators)
def test_the_quick_way_reads_a_number_as_the_library_does(
    start: str, national: str, separator: str
) -> None:
    written = f"{start}{national[:3]}{separator}{national[3:]}"
    try:
        parsed = phonenumbers.parse(written, "BE")
    except phonenumbers.NumberParseException:
        parsed = phonenumbers.PhoneNumber()
    usual = {phonenumbers.PhoneNumberType.MOBILE: "mobile"}
    kind = usual.get(phonenumbers.number_type(parsed))
    try:
        found = contact.phone(written)
    except Invalid:
        assert kind is None
        return
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    assert found.e164 == e164
    assert kind in {None, found.kind}


locals_ = st.text("aZ9._+-'é\"@ ", max_size=70)
domains = st.sampled_from(
    [
        "voorbeeld.example",
        "voorbeeld.example.",
        "Exämple.example",
        "voorbeeld",
        "a..b",
        "-a.be",
        "[127.0.0.1]",
        "b.be>",
    ]
)


@given(locals_, domains)
def test_the_quick_way_reads_an_address_as_the_library_does(local: str, domain: str) -> None:
    written = f"{local}@{domain}"
    wanted: str | None
    try:
        checked = validate_email(written.strip(), check_deliverability=False, allow_smtputf8=False)
        wanted = (checked.ascii_email or checked.normalized).lower()
    except EmailNotValidError:
        wanted = None
    try:
        assert contact.email(written) == wanted
    except Invalid:
        assert wanted is None
