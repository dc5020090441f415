"""How people are reached: phone numbers as E.164 with their kind, and normalised addresses."""

from dataclasses import dataclass
from typing import Literal

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from services.registry.domain.failures import Invalid

PhoneKind = Literal["mobile", "fixed"]

_HOME = "BE"
HOME_CODE = 32
_KINDS: dict[int, PhoneKind] = {
    PhoneNumberType.MOBILE: "mobile",
    # where the numbering plan does not tell them apart, an SMS is worth trying
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.VOIP: "fixed",
}


@dataclass(frozen=True, slots=True)
class Phone:
    """A person's number. Only a mobile is a destination for an SMS."""

    e164: str
    kind: PhoneKind


def phone(raw: str, field: str = "phone") -> Phone:
    """Normalise a number as people write it (`0475/12.34.56`). Raises `Invalid`."""
    try:
        number = phonenumbers.parse(raw, _HOME)
    except NumberParseException:
        raise _no_phone(field) from None
    kind = _KINDS.get(phonenumbers.number_type(number))  # of a number that is not valid: none
    if number.extension or kind is None:
        raise _no_phone(field)
    return Phone(phonenumbers.format_number(number, PhoneNumberFormat.E164), kind)


def _no_phone(field: str) -> Invalid:
    return Invalid(
        "no-phone-number",
        "This is not a personal phone number. Write it as 0475 12 34 56, or with its country "
        "code as +32 475 12 34 56.",
        field=field,
    )


def email(raw: str, field: str = "email") -> str:
    """Normalise an address to lower-case ASCII (a domain in its IDNA form). Raises `Invalid`."""
    try:
        found = validate_email(raw.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise Invalid(
            "no-email-address",
            "This is not an e-mail address. Write it as name@domain.be.",
            field=field,
        ) from None
    return (found.ascii_email or found.normalized).lower()
