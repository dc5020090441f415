"""A member list as it exists in the wild: its headers and values in Dutch, French and English.

Nothing of a list is guessed: what cannot be read is a problem that names row and field, never the
value. What the list does not need to hold (a birth date, an address) is not read at all.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeVar, get_args

import phonenumbers
from phonenumbers import PhoneNumberFormat
from pydantic import TypeAdapter, ValidationError

from services.registry.domain import contact
from services.registry.domain.failures import Invalid
from services.registry.domain.member import MemberRecord, PersonName, Tie
from services.registry.domain.network import NetworkRecord
from services.registry.domain.spreadsheet import Table
from shared.contracts.base import Language
from shared.contracts.registry import MemberKind, NetworkKind
from shared.destinations import HOME_CODE, Phone

Column = Literal[
    "name",
    "first_name",
    "last_name",
    "phone",
    "mobile",
    "email",
    "language",
    "kind",
    "tie",
    "adult",
    "signed_on",
    "witness",
]
ListLanguage = Literal["nl", "fr", "en"]
T = TypeVar("T")

_HEADERS: Mapping[Column, tuple[str, ...]] = {
    "name": (
        "naam",
        "volledige naam",
        "naam en voornaam",
        "naam voornaam",
        "voornaam en naam",
        "voornaam naam",
        "nom complet",
        "nom et prénom",
        "nom prénom",
        "prénom et nom",
        "name",
        "full name",
        "lid",
        "membre",
    ),
    "first_name": ("voornaam", "prénom", "first name", "given name"),
    "last_name": ("achternaam", "familienaam", "nom", "nom de famille", "last name", "surname"),
    "phone": (
        "telefoon",
        "telefoonnummer",
        "tel",
        "telnr",
        "tel nummer",
        "vaste lijn",
        "vast nummer",
        "téléphone",
        "numéro de téléphone",
        "n° de téléphone",
        "téléphone fixe",
        "fixe",
        "phone",
        "phone number",
        "telephone number",
    ),
    "mobile": (
        "gsm",
        "gsm nummer",
        "gsm nr",
        "gsmnr",
        "mobiel",
        "mobiel nummer",
        "portable",
        "numéro de gsm",
        "n° gsm",
        "gsm numéro",
        "mobile",
        "mobile number",
    ),
    "email": (
        "email",
        "e-mailadres",
        "mail",
        "mailadres",
        "adresse e-mail",
        "adresse mail",
        "courriel",
        "adresse électronique",
        "email address",
    ),
    "language": ("taal", "langue", "language"),
    "kind": ("soort", "soort lid", "type", "type lid", "type de membre", "kind"),
    "tie": ("band", "woont of werkt", "lien", "habite ou travaille", "tie", "lives or works"),
    "adult": ("meerderjarig", "majeur", "majeure", "adult"),
    "signed_on": (
        "getekend op",
        "ondertekend op",
        "reglement aanvaard op",
        "datum handtekening",
        "signé le",
        "règlement accepté le",
        "signed on",
    ),
    "witness": ("getuige", "témoin", "witness"),
}

_LANGUAGES: Mapping[Language, tuple[str, ...]] = {
    "nl": ("nl", "n", "ned", "nederlands", "néerlandais", "dutch"),
    "fr": ("fr", "f", "frans", "français", "french"),
    "de": ("de", "d", "duits", "allemand", "german", "deutsch"),
    "en": ("en", "e", "eng", "engels", "anglais", "english"),
}
_KINDS: Mapping[MemberKind, tuple[str, ...]] = {
    "resident": ("bewoner", "inwoner", "buurtbewoner", "particulier", "habitant", "résident"),
    "self_employed": ("zelfstandige", "handelaar", "indépendant", "commerçant", "self employed"),
    "company": ("bedrijf", "onderneming", "firma", "entreprise", "société", "company"),
    "professional": ("vrij beroep", "beroeps", "profession libérale", "professionnel"),
}
_TIES: Mapping[Tie, tuple[str, ...]] = {
    "lives": ("woont", "wonen", "habite", "lives"),
    "works": ("werkt", "werken", "travaille", "works"),
    "both": ("beide", "woont en werkt", "les deux", "habite et travaille", "both"),
}
_ANSWERS: Mapping[Literal["yes", "no"], tuple[str, ...]] = {
    "yes": ("ja", "j", "oui", "o", "yes", "y", "x", "1", "waar", "vrai", "true"),
    "no": ("nee", "neen", "n", "non", "no", "0", "onwaar", "faux", "false"),
}
_NETWORK_KINDS: Mapping[NetworkKind, MemberKind] = {
    "residents": "resident",
    "self_employed": "self_employed",
    "professional": "professional",
}
_WORDS: Mapping[ListLanguage, Mapping[str, str]] = {
    "nl": {
        "resident": "bewoner",
        "self_employed": "zelfstandige",
        "company": "bedrijf",
        "professional": "vrij beroep",
        "lives": "woont",
        "works": "werkt",
        "both": "beide",
        "yes": "ja",
    },
    "fr": {
        "resident": "habitant",
        "self_employed": "indépendant",
        "company": "entreprise",
        "professional": "profession libérale",
        "lives": "habite",
        "works": "travaille",
        "both": "les deux",
        "yes": "oui",
    },
    "en": {
        "resident": "resident",
        "self_employed": "self employed",
        "company": "company",
        "professional": "professional",
        "lives": "lives",
        "works": "works",
        "both": "both",
        "yes": "yes",
    },
}
_WRITTEN: Mapping[ListLanguage, Mapping[Column, str]] = {
    "nl": {
        "name": "Naam",
        "phone": "Telefoon",
        "email": "E-mailadres",
        "language": "Taal",
        "kind": "Soort",
        "tie": "Woont of werkt",
        "adult": "Meerderjarig",
        "signed_on": "Getekend op",
        "witness": "Getuige",
    },
    "fr": {
        "name": "Nom complet",
        "phone": "Téléphone",
        "email": "Adresse e-mail",
        "language": "Langue",
        "kind": "Type de membre",
        "tie": "Habite ou travaille",
        "adult": "Majeur",
        "signed_on": "Signé le",
        "witness": "Témoin",
    },
    "en": {
        "name": "Name",
        "phone": "Phone",
        "email": "Email",
        "language": "Language",
        "kind": "Kind",
        "tie": "Lives or works",
        "adult": "Adult",
        "signed_on": "Signed on",
        "witness": "Witness",
    },
}
"""The headers of an export; importing it again reads every one of them."""

_COLUMN_OF_HEADER = 10
"""Rows in which a header is looked for: some lists begin with a title."""

_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_NAME: TypeAdapter[str] = TypeAdapter(PersonName)


def plain(text: str) -> str:
    """Give a header or a word without case, accents and signs, as it is compared."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in bare if char.isascii() and char.isalnum())


def _words(table: Mapping[T, Iterable[str]]) -> dict[str, T]:
    return {plain(word): meaning for meaning, words in table.items() for word in words}


_COLUMN: Mapping[str, Column] = _words(_HEADERS)
_LANGUAGE: Mapping[str, Language] = _words(_LANGUAGES)
_KIND: Mapping[str, MemberKind] = {
    **_words(_KINDS),
    **{plain(kind): kind for kind in get_args(MemberKind)},
}
_TIE: Mapping[str, Tie] = _words(_TIES)
_ANSWER: Mapping[str, str | None] = _words(_ANSWERS)


Identity = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in a row: its number in the file, the field and a code; never the value."""

    row: int
    field: str
    reason: str
    same_as_row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row, read."""

    row: int
    name: str
    phone: Phone | None
    email: str | None
    language: Language
    kind: MemberKind
    tie: Tie
    signed_on: date | None
    witness: str | None

    @property
    def number(self) -> str | None:
        """Give the number in E.164."""
        return None if self.phone is None else self.phone.e164

    @property
    def identities(self) -> list[Identity]:
        """Give by what they are known in a network; the number comes first."""
        return identities(self.name, self.number, self.email)


def identities(name: str, phone: str | None, email: str | None) -> list[Identity]:
    """Give by what people are known: by their number, and by address and name.

    Two rows or members of one network that share one of these are the same person: a list may have
    gained or lost a column since.
    """
    by_phone = [] if phone is None else [(phone,)]
    by_email = [] if email is None else [(email, name.casefold())]
    return [*by_phone, *by_email]


@dataclass(slots=True)
class Reading:
    """A list as it was read: who is in it, what is wrong, and which columns were not read."""

    entries: list[Entry] = field(default_factory=list[Entry])
    problems: list[RowProblem] = field(default_factory=list[RowProblem])
    ignored_columns: list[int] = field(default_factory=list[int])


def known_headers(row: Sequence[str]) -> int:
    """Count the cells of a row that are headers of a member list."""
    return sum(plain(cell) in _COLUMN for cell in row)


def read_list(table: Table, network: NetworkRecord, today: date) -> Reading:
    """Read a member list. Raises `Invalid` where it has no header that names people.

    The same number twice is a problem that names both rows, whatever else the rows say.
    """
    at, columns = _header(table)
    reading = Reading(ignored_columns=_ignored(table[at], columns))
    seen: dict[Identity, int] = {}
    for number, row in enumerate(table[at + 1 :], start=at + 2):
        if not any(row):
            continue
        cells: dict[Column, str] = {
            column: row[index] for column, index in columns.items() if index < len(row)
        }
        entry = _Row(number, cells, network, today).read(reading.problems)
        if entry is None:
            continue
        same = next((who for who in entry.identities if who in seen), None)
        if same is not None:
            blamed = "phone" if same == (entry.number,) else "email"
            problem = RowProblem(number, blamed, "twice-in-file", same_as_row=seen[same])
            reading.problems.append(problem)
            continue
        seen |= dict.fromkeys(entry.identities, number)
        reading.entries.append(entry)
    return reading


def _header(table: Table) -> tuple[int, dict[Column, int]]:
    for at, row in enumerate(table[:_COLUMN_OF_HEADER]):
        columns: dict[Column, int] = {}
        for index, cell in enumerate(row):
            column = _COLUMN.get(plain(cell))
            if column is not None:
                columns.setdefault(column, index)
        _settle_names(columns)
        reachable = columns.keys() & {"phone", "mobile", "email"}
        if reachable and columns.keys() & {"name", "last_name"}:
            return at, columns
    raise Invalid(
        "no-header",
        "No row names the columns. Put a first row with at least Naam (Nom) and Telefoon, GSM or "
        "E-mail, and send the file again.",
        field="file",
    )


def _settle_names(columns: dict[Column, int]) -> None:
    """Take `Naam` beside `Voornaam` as the family name, and a lone `Nom` as the whole name."""
    if "name" in columns and "first_name" in columns and "last_name" not in columns:
        columns["last_name"] = columns.pop("name")
    if "last_name" in columns and "first_name" not in columns and "name" not in columns:
        columns["name"] = columns.pop("last_name")
    if "name" in columns and {"first_name", "last_name"} <= columns.keys():
        del columns["name"]


def _ignored(header: Sequence[str], columns: Mapping[Column, int]) -> list[int]:
    read = set(columns.values())
    return [index + 1 for index, cell in enumerate(header) if cell and index not in read]


@dataclass(slots=True)
class _Row:
    """One row while it is read."""

    number: int
    cells: Mapping[Column, str]
    network: NetworkRecord
    today: date
    wrong: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def read(self, problems: list[RowProblem]) -> Entry | None:
        name = self._name()
        phone = self._phone()
        email = self._email()
        if not self.wrong and phone is None and email is None:
            self.wrong.append(("phone", "no-contact"))
        language: Language = self._word("language", _LANGUAGE, self.network.languages[0])
        kind: MemberKind = self._word("kind", _KIND, _NETWORK_KINDS[self.network.kind])
        tie: Tie = self._word("tie", _TIE, "lives")
        signed_on, witness = self._paper()
        if self.wrong:
            problems += [RowProblem(self.number, where, reason) for where, reason in self.wrong]
            return None
        return Entry(
            row=self.number,
            name=name,
            phone=phone,
            email=email,
            language=language,
            kind=kind,
            tie=tie,
            signed_on=signed_on,
            witness=witness,
        )

    def _cell(self, column: Column) -> str:
        return self.cells.get(column, "")

    def _name(self) -> str:
        parts = (self._cell("first_name"), self._cell("last_name"), self._cell("name"))
        written = " ".join(part for part in parts if part)
        return self._person("name", " ".join(written.split()), "no-name")

    def _person(self, column: Column, written: str, reason: str) -> str:
        try:
            return _NAME.validate_python(written)
        except ValidationError:
            self.wrong.append((column, reason))
            return ""

    def _phone(self) -> Phone | None:
        """Read the mobile number; the fixed one only where there is no other."""
        for column in ("mobile", "phone"):
            written = self._cell(column)
            if written:
                return self._number(column, written)
        return None

    def _number(self, column: Column, written: str) -> Phone | None:
        if written.isdecimal() and len(written) in _UNPADDED:
            written = f"0{written}"  # a spreadsheet took the number for a quantity
        try:
            return contact.phone(written)
        except Invalid as error:
            self.wrong.append((column, error.kind))
            return None

    def _email(self) -> str | None:
        written = self._cell("email")
        try:
            return contact.email(written) if written else None
        except Invalid as error:
            self.wrong.append(("email", error.kind))
            return None

    def _word(self, column: Column, table: Mapping[str, T], default: T) -> T:
        written = plain(self._cell(column))
        found = table.get(written, default)
        if written and written not in table:
            self.wrong.append((column, "unknown-word"))
        return found

    def _paper(self) -> tuple[date | None, str | None]:
        """Read a signature on paper, which needs a date, a witness and an adult."""
        written, witness = self._cell("signed_on"), self._cell("witness")
        adult = self._word("adult", _ANSWER, None)
        if adult == "no":
            self.wrong.append(("adult", "not-adult"))
        if not written and not witness:
            return None, None
        if adult is None:
            self.wrong.append(("adult", "adult-not-confirmed"))
        signed_on = _as_date(written)
        if signed_on is None:
            self.wrong.append(("signed_on", "no-date"))
        elif signed_on > self.today:
            self.wrong.append(("signed_on", "signed-in-future"))
        return signed_on, self._person("witness", witness, "no-witness")


_UNPADDED = (8, 9)
"""Digits of a Belgian number without its leading zero: fixed and mobile."""


def _as_date(written: str) -> date | None:
    """Read `31/12/2026`, `31.12.2026`, `31-12-2026` or ISO 8601."""
    found = _DATE.fullmatch(written)
    try:
        if found is None:
            return date.fromisoformat(written)
        day, month, year = map(int, found.groups())
        return date(year, month, day)
    except ValueError:
        return None


def write_list(members: Iterable[MemberRecord], language: ListLanguage) -> Table:
    """Give members as the rows of a list that can be imported again, with its headers."""
    rows = [_row(member, _WORDS[language]) for member in members]
    return [list(_WRITTEN[language].values()), *rows]


def _row(member: MemberRecord, words: Mapping[str, str]) -> list[str]:
    accepted = member.acceptance
    paper = accepted if accepted is not None and accepted.how == "paper" else None
    return [
        member.name,
        "" if member.phone is None else _dialled(member.phone),
        member.email or "",
        member.language,
        words[member.kind],
        words[member.tie],
        "" if accepted is None else words["yes"],
        "" if paper is None or paper.signed_on is None else paper.signed_on.isoformat(),
        "" if paper is None else paper.witness or "",
    ]


def _dialled(e164: str) -> str:
    """Give a number as it is dialled from Belgium: it begins with 0, never with a sign."""
    number = phonenumbers.parse(e164)
    if number.country_code == HOME_CODE:
        return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return f"00{e164.removeprefix('+')}"
