"""Finding a member as one types: parts of names without accents, of numbers, of addresses."""

import re
import unicodedata
from dataclasses import dataclass

_NUMBER = re.compile(r"[\d+/.() -]+")
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: every word somewhere in what a member is found by."""

    words: tuple[str, ...]


def findable(name: str, phone: str | None, email: str | None) -> str:
    """Give what a member is found by: name, digits of the number, and address, folded."""
    digits = "" if phone is None else phone.removeprefix("+")
    return " ".join(part for part in (fold(name), digits, fold(email or "")) if part)


def wanted(text: str) -> Wanted:
    """Read what somebody typed. A number may be written with signs, and with its first zero."""
    if _NUMBER.fullmatch(text.strip()):
        digits = "".join(char for char in text if char.isdigit()).lstrip("0")
        return Wanted((digits,) if digits else ())
    return Wanted(tuple(fold(text[:_LONGEST]).split()))


def fold(text: str) -> str:
    """Give text without case and accents, as it is compared."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in parts if not unicodedata.combining(char))
