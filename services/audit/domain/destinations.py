"""Numbers and addresses as the dispatcher had them when it made their pseudonyms."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from shared import destinations


def normalise(destination: str) -> str | None:
    """Give a number in E.164 or an address in its one form; None for what is neither."""
    if "@" in destination:
        return destinations.email(destination)
    phone = destinations.phone(destination)
    return _possible(destination) if phone is None else phone.e164


def _possible(written: str) -> str | None:
    """Read a number that is not in use any more but may have been when something was sent."""
    try:
        number = phonenumbers.parse(written, destinations.HOME)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
