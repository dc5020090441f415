"""How people are reached: their numbers and addresses in one form, or refused with the reason."""

from services.registry.domain.failures import Invalid
from shared import destinations
from shared.destinations import Phone


def phone(raw: str, field: str = "phone") -> Phone:
    """Normalise a number as people write it (`0475/12.34.56`). Raises `Invalid`."""
    found = destinations.phone(raw)
    if found is None:
        raise Invalid(
            "no-phone-number",
            "This is not a personal phone number. Write it as 0475 12 34 56, or with its country "
            "code as +32 475 12 34 56.",
            field=field,
        )
    return found


def email(raw: str, field: str = "email") -> str:
    """Normalise an address to lower-case ASCII (a domain in its IDNA form). Raises `Invalid`."""
    found = destinations.email(raw)
    if found is None:
        raise Invalid(
            "no-email-address",
            "This is not an e-mail address. Write it as name@domain.be.",
            field=field,
        )
    return found


def check_reachable(phone: object | None, email: str | None) -> None:
    """Hold that a member can be reached at all. Raises `Invalid`."""
    if phone is None and email is None:
        raise Invalid(
            "no-contact",
            "There is neither a number nor an address. Fill in at least one of the two.",
            field="phone",
        )
