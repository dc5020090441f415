"""Numbers and addresses as the dispatcher normalised them before it made their pseudonyms."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

_REGION = "BE"
_LONGEST = 254
"""RFC 5321, 4.5.3.1.3, less the angle brackets."""


def normalise(destination: str) -> str | None:
    """Give a number in E.164 or an address in lower case; None for what is neither."""
    text = destination.strip()
    if "@" in text:
        local, _, domain = text.rpartition("@")
        whole = local and domain and len(text) <= _LONGEST and not any(map(str.isspace, text))
        return text.lower() if whole else None
    try:
        number = phonenumbers.parse(text, _REGION)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
