"""Member lists in the wild: what is written is read back, and nothing is ever executed."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.domain.member_list import ListLanguage, known_headers, read_list, write_list
from services.registry.domain.spreadsheet import Format, read_table, write_table
from shared.cells import safe_cell
from tests.unit.registry.people import NOW, member, network

TODAY = date(2026, 11, 20)
NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30).filter(
    lambda name: not name.startswith("'")
)


@given(text=st.text())
def test_no_cell_begins_a_formula(text: str) -> None:
    """'Safe against formula injection': no cell begins with what a program executes."""
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@settings(deadline=None)  # the first XLSX file loads the library
@given(
    name=NAMES, form=st.sampled_from(["csv", "xlsx"]), language=st.sampled_from(["nl", "fr", "en"])
)
def test_what_is_exported_is_imported_as_it_was(
    name: str, form: Format, language: ListLanguage
) -> None:
    """'Export the same columns' as an import reads."""
    who = member().model_copy(
        update={"name": name, "phone": "+32450000001", "email": "lid@bin.example"}
    )
    data = write_table(write_list([who], language), form)

    reading = read_list(read_table(data, known_headers), network(), TODAY)

    assert (reading.problems, reading.ignored_columns) == ([], [])
    [entry] = reading.entries
    assert entry.phone is not None
    assert (entry.name, entry.phone.e164, entry.email) == (name, who.phone, who.email)
    assert (entry.language, entry.kind, entry.tie) == (who.language, who.kind, who.tie)


@pytest.mark.parametrize(
    "data",
    [
        "Naam;GSM\nAnaïs É;0450/12.34.56\n".encode("cp1252"),
        "\ufeffNaam,GSM\r\nAnaïs É,0450/12.34.56\r\n".encode(),
        "Naam\tGSM\nAnaïs É\t0450/12.34.56\n".encode("utf-16"),
        'sep=;\n"Naam";"GSM"\n"Anaïs É";"0450/12.34.56"\n'.encode(),
        "Nom;Prénom;N° GSM\nÉ;Anaïs;0032 450 12 34 56\n".encode("cp1252"),
        "NAAM ; gsm-nummer\n\n;\n Anaïs  É ; 450123456\n".encode(),
    ],
    ids=["windows-1252", "utf-8 with mark", "utf-16 tabs", "sep line", "french", "untidy"],
)
def test_encodings_delimiters_and_headers_are_told_apart(data: bytes) -> None:
    """'Dutch and French headers, `;` or `,`, UTF-8 or Windows-1252', blank lines."""
    [entry] = read_list(read_table(data, known_headers), network(), TODAY).entries
    assert entry.phone is not None
    assert (entry.name, entry.phone.e164) == ("Anaïs É", "+32450123456")


def test_a_mobile_number_is_preferred_and_a_birth_date_is_not_read() -> None:
    """'No birth date stored': a column that is not needed is not even looked at."""
    data = b"Naam,Telefoon,GSM,Geboortedatum\nLid Een,09 300 00 00,0450 12 34 56,1/1/1970\n"
    reading = read_list(read_table(data, known_headers), network(), TODAY)
    assert reading.entries[0].phone is not None
    assert reading.entries[0].phone.kind == "mobile"
    assert reading.ignored_columns == [4]
    assert NOW.date() == TODAY
