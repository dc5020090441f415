"""Spreadsheets as volunteers keep them: a CSV or XLSX file as rows of text.

Excel in Belgium writes `;`, other programs `,` or a tab; in UTF-8 with or without a mark, in UTF-16
("Unicode text") or in Windows-1252. What is written back opens in all of them, and no cell of it is
ever taken for a formula.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, Literal
from zipfile import BadZipFile

from services.registry.domain.failures import Invalid
from shared.cells import FORMULA, safe_cell

Format = Literal["csv", "xlsx"]
Table = list[list[str]]

MOST_BYTES = 10_000_000
MOST_ROWS = 20_000
MOST_COLUMNS = 60
_MOST_UNPACKED = 200_000_000
"""An XLSX file is a ZIP file: what it unpacks to is bounded before it is read."""

_BROKEN = (
    BadZipFile,
    zlib.error,
    EOFError,
    SyntaxError,  # malformed XML
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RuntimeError,  # encrypted
)
"""What openpyxl raises, besides its own, for a file that is not what its name says."""

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_DELIMITERS = (";", "\t", ",")


def read_table(data: bytes, header: Callable[[Sequence[str]], int]) -> Table:
    """Read a file into rows of trimmed text; row n of the file is item n - 1, blank ones included.

    `header` tells how many of a row's cells are headers that it knows, by which the delimiter of a
    CSV file is found. Raises `Invalid` for what is no such file, or is too large.
    """
    if len(data) > MOST_BYTES:
        raise _too_large()
    if data.startswith(_OLD_EXCEL):
        raise Invalid(
            "old-spreadsheet",
            "This is a file of an old Excel. Save it as .xlsx or .csv and send that.",
            field="file",
        )
    table = _xlsx(data) if data.startswith(_ZIP) else _csv(_decoded(data), header)
    if not any(table):
        raise Invalid("empty-file", "The file has no rows. Choose another one.", field="file")
    return table


def _too_large() -> Invalid:
    return Invalid(
        "file-too-large",
        f"A file has at most {MOST_ROWS} rows, {MOST_COLUMNS} columns and 10 MB. Split it.",
        field="file",
    )


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise _unreadable()


def _unreadable() -> Invalid:
    return Invalid(
        "unreadable-file",
        "This is neither a CSV nor an XLSX file. Save the list as one of these and send it again.",
        field="file",
    )


def _csv(text: str, header: Callable[[Sequence[str]], int]) -> Table:
    first, _, rest = text.partition("\n")
    hint = first.strip().lower()
    if hint.startswith("sep=") and len(hint) == len("sep=;"):
        # Excel's own hint; its line stays, so that the numbers of the rows are those of the file
        text = "\n" + rest
    return _rows(text, max(_DELIMITERS, key=lambda delimiter: _score(text, delimiter, header)))


def _score(text: str, delimiter: str, header: Callable[[Sequence[str]], int]) -> int:
    try:
        first = list(islice(_reader(text, delimiter), 10))
    except csv.Error:
        return 0
    return max((header(row) for row in first), default=0)


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _rows(text: str, delimiter: str) -> Table:
    table: Table = []
    try:
        for row in _reader(text, delimiter):
            _add(table, row)
    except csv.Error:
        raise _unreadable() from None
    return table


def _add(table: Table, cells: Iterable[object]) -> None:
    row = [_text(cell) for cell in cells]
    while row and not row[-1]:
        row.pop()
    if len(table) >= MOST_ROWS and not row:
        return  # a sheet whose empty rows were coloured down to its end
    if len(table) >= MOST_ROWS or len(row) > MOST_COLUMNS:
        raise _too_large()
    table.append(row)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).replace("\u00a0", " ").strip()
    # what `safe_cell` put before a cell when it wrote it
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA else text


def _xlsx(data: bytes) -> Table:
    # 0.2 s of each start, for a file now and then
    from openpyxl import load_workbook  # noqa: PLC0415
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    table: Table = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(item.file_size for item in packed.infolist()) > _MOST_UNPACKED:
                raise _too_large()
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its own size is not believed
        for row in sheet.iter_rows(values_only=True):
            _add(table, row)
        book.close()
    except (*_BROKEN, InvalidFileException):
        raise _unreadable() from None
    while table and not table[-1]:
        table.pop()
    return table


def write_table(table: Iterable[Sequence[str]], form: Format) -> bytes:
    """Write rows as a file, each cell as text and none as a formula."""
    rows = ([safe_cell(cell) for cell in row] for row in table)
    return _as_csv(rows) if form == "csv" else _as_xlsx(rows)


def _as_csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows(rows)
    return text.getvalue().encode("utf-8-sig")  # the mark tells Excel that it is UTF-8


def _as_xlsx(rows: Iterable[Sequence[str]]) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415 - the same
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet()
    for row in rows:
        cells: list[Any] = []
        for text in row:
            cell = WriteOnlyCell(sheet, value=text)
            cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()
