"""What goes out, letter for letter: prefix, text and closing line, and what an SMS of it costs.

An SMS is GSM-7 (160 units, or 153 in each of several segments) where every character is in the
alphabet of 3GPP TS 23.038, and UCS-2 (70, or 67) otherwise. One `ë` would so cost half the
capacity: characters of the table below are replaced first, and only where that makes all of the
text GSM-7; a text that stays UCS-2 keeps its own characters.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from services.dispatcher.domain.message import Message
from shared.contracts.base import AlertKind, Language, MessageType, Status

Encoding = Literal["gsm7", "ucs2"]

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""3GPP TS 23.038, 6.2.1: one unit each (the escape itself is left out)."""

GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
"""3GPP TS 23.038, 6.2.1.1: an escape and a character, so two units that stay together."""

DOWN_CONVERSION: Mapping[str, str] = {
    **dict.fromkeys("áâãāăą", "a"),
    **dict.fromkeys("ÀÁÂÃĀĂĄ", "A"),
    **dict.fromkeys("çćčĉċ", "c"),
    **dict.fromkeys("ĆČĈĊ", "C"),
    **dict.fromkeys("êëēĕėęě", "e"),
    **dict.fromkeys("ÈÊËĒĔĖĘĚ", "E"),
    **dict.fromkeys("íîïĩīĭįı", "i"),
    **dict.fromkeys("ÌÍÎÏĨĪĬĮİ", "I"),
    **dict.fromkeys("óôõōŏő", "o"),
    **dict.fromkeys("ÒÓÔÕŌŎŐ", "O"),
    **dict.fromkeys("úûũūŭůűų", "u"),
    **dict.fromkeys("ÙÚÛŨŪŬŮŰŲ", "U"),
    **dict.fromkeys("ýÿŷ", "y"),
    **dict.fromkeys("ÝŸŶ", "Y"),
    **dict.fromkeys("ğģġĝ", "g"),
    **dict.fromkeys("ĞĢĠĜ", "G"),
    **dict.fromkeys("ńňņ", "n"),
    **dict.fromkeys("ŃŇŅ", "N"),
    **dict.fromkeys("śšşșŝ", "s"),
    **dict.fromkeys("ŚŠŞȘŜ", "S"),
    **dict.fromkeys("źžż", "z"),
    **dict.fromkeys("ŹŽŻ", "Z"),
    **dict.fromkeys("ťţț", "t"),
    **dict.fromkeys("ŤŢȚ", "T"),
    **dict.fromkeys("řŕ", "r"),
    **dict.fromkeys("ŘŔ", "R"),
    **dict.fromkeys("ďđ", "d"),
    **dict.fromkeys("ĎĐ", "D"),
    **dict.fromkeys("łľĺ", "l"),
    **dict.fromkeys("ŁĽĹ", "L"),
    "œ": "oe",
    "Œ": "OE",
    "ĳ": "ij",
    "Ĳ": "IJ",
    "ẞ": "SS",
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4`\u2039\u203a", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\t", " "),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
    **dict.fromkeys("\u2022\u00b7", "-"),
    "\u2026": "...",
    "\u00b0": " gr.",
    "\u00d7": "x",
    "\u2192": "->",
}
"""What a character becomes where that saves the text from UCS-2."""

_LIMITS: Mapping[Encoding, tuple[int, int]] = {"gsm7": (160, 153), "ucs2": (70, 67)}
"""Units in a single SMS, and in each segment of a longer one (the rest is its header)."""

_BMP_END = 0xFFFF


@dataclass(frozen=True, slots=True)
class Sms:
    """An SMS as it goes out, and its size."""

    body: str
    encoding: Encoding
    segments: int


@dataclass(frozen=True, slots=True)
class Mail:
    """The words of a mail; the sender dresses them as text and HTML."""

    subject: str
    body: str


def is_gsm7(text: str) -> bool:
    """Tell whether every character is in the GSM-7 alphabet or its extension."""
    return all(char in GSM_BASIC or char in GSM_EXTENSION for char in text)


def down_convert(text: str) -> str:
    """Replace what the table knows, where the whole text then fits GSM-7; else leave it be."""
    composed = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    replaced = "".join(
        char if char in GSM_BASIC or char in GSM_EXTENSION else DOWN_CONVERSION.get(char, char)
        for char in composed
    )
    return replaced if is_gsm7(replaced) else composed


def segments(text: str, encoding: Encoding) -> int:
    """Count the segments of a text as it stands; a character of two units is never split."""
    single, each = _LIMITS[encoding]
    units = [_units(char, encoding) for char in text]
    return 1 if sum(units) <= single else _packed(units, each)


def _units(char: str, encoding: Encoding) -> int:
    if encoding == "gsm7":
        return 2 if char in GSM_EXTENSION else 1
    return 2 if ord(char) > _BMP_END else 1  # a surrogate pair


def _packed(units: Iterable[int], each: int) -> int:
    count, filled = 1, 0
    for unit in units:
        if filled + unit > each:
            count += 1
            filled = 0
        filled += unit
    return count


def measure(text: str) -> Sms:
    """Give a text as an SMS: down-converted where that helps, with encoding and segments."""
    body = down_convert(text)
    encoding: Encoding = "gsm7" if is_gsm7(body) else "ucs2"
    return Sms(body, encoding, segments(body, encoding))


CLOSING: Mapping[Language, str] = {
    "nl": "Bel 101 of gebruik de app 112 BE. Kom niet zelf tussen.",
    "fr": "Appelez le 101 ou utilisez l'app 112 BE. N'intervenez pas vous-même.",
    "de": "Rufen Sie 101 an oder nutzen Sie die App 112 BE. Greifen Sie nicht selbst ein.",
    "en": "Call 101 or use the app 112 BE. Do not intervene yourself.",
}
"""What every outgoing text ends with: what to do, and what not."""

_STATUS: Mapping[Status, Mapping[Language, str]] = {
    Status.ACTUAL: {},
    Status.EXERCISE: {"nl": "OEFENING", "fr": "EXERCICE", "de": "ÜBUNG", "en": "EXERCISE"},
    Status.TEST: {"nl": "TEST", "fr": "TEST", "de": "TEST", "en": "TEST"},
}
_KIND: Mapping[str, Mapping[Language, str]] = {
    AlertKind.UPDATE: {"nl": "UPDATE", "fr": "MISE À JOUR", "de": "NEUER STAND", "en": "UPDATE"},
    AlertKind.ALL_CLEAR: {
        "nl": "EINDE ALARM",
        "fr": "FIN D'ALERTE",
        "de": "ENTWARNUNG",
        "en": "ALL CLEAR",
    },
}
_WARM_SUBJECT: Mapping[Language, str] = {
    "nl": "Dringend bericht van de politie",
    "fr": "Message urgent de la police",
    "de": "Dringende Nachricht der Polizei",
    "en": "Urgent message from the police",
}


def prefix(status: Status, kind: str, language: Language) -> str:
    """Give what a text begins with, `OEFENING - UPDATE: ` for instance; empty for a plain alert."""
    words = [
        table[language] for table in (_STATUS[status], _KIND.get(kind, {})) if language in table
    ]
    return f"{' - '.join(words)}: " if words else ""


def alert_sms(text: str, language: Language, kind: str, status: Status) -> Sms:
    """Give an alert's SMS in one language: prefix, text, closing line."""
    return measure(f"{prefix(status, kind, language)}{text}\n{CLOSING[language]}")


def sms(message: Message, language: Language) -> Sms:
    """Give a message's SMS in a language that it has."""
    body = message.content.body[language]
    return alert_sms(body, language, message.kind, message.status)


def mail(message: Message, language: Language) -> Mail:
    """Give a message's mail in a language that it has; an alert's is the warm fallback."""
    body = message.content.body[language]
    if message.key.message_type is MessageType.ALERT:
        kind, subject = message.kind, _WARM_SUBJECT[language]
    else:
        kind, subject = "", message.content.subject[language]
    return dressed_mail(subject, body, language, message.status, kind)


def dressed_mail(
    subject: str, body: str, language: Language, status: Status, kind: str = ""
) -> Mail:
    """Put prefix and closing line to the words of a mail."""
    start = prefix(status, kind, language)
    return Mail(f"{start}{subject}", f"{start}{body}\n\n{CLOSING[language]}")


def choose_language(
    own: Language, network: Iterable[Language], has: Mapping[Language, object]
) -> Language:
    """Choose the language that goes out: the member's, else the network's first, else any."""
    for language in (own, *network):
        if language in has:
            return language
    return next(language for language in ("nl", "fr", "de", "en") if language in has)
