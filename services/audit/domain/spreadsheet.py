"""Tables for a spreadsheet program: CSV and XLSX, no cell of which is ever taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import IO, Any, Literal

from shared.cells import safe_cell

Format = Literal["csv", "xlsx"]
Row = Sequence[str | int | None]

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MOST_ROWS = 1_048_576
"""What a sheet of an XLSX file holds."""

_BOM = "\ufeff"
"""By which Excel knows that a CSV file is UTF-8."""


class TooManyRows(ValueError):  # noqa: N818 - an answer to a request
    """More rows than a sheet holds."""


def cell(value: str | int | None) -> str | int:
    """Give a value as a cell that is shown as it is."""
    if value is None:
        return ""
    return value if isinstance(value, int) else safe_cell(value)


def csv_lines(rows: Iterable[Row], *, first: bool) -> bytes:
    """Write rows with `;`, as Excel in Belgium reads them; the first lines begin the file."""
    text = io.StringIO(newline="")
    if first:
        text.write(_BOM)
    csv.writer(text, delimiter=";").writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


class XlsxFile:
    """An XLSX file that is written row by row: openpyxl keeps the rows on disk, not in memory."""

    def __init__(self) -> None:
        """Begin."""
        from openpyxl import Workbook  # noqa: PLC0415 - 0.2 s of each start, for a file now and then

        self._book = Workbook(write_only=True)
        self._sheet: Any = self._book.create_sheet("buurtbode")  # untyped in its stubs
        self._rows = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows. Raises `TooManyRows`."""
        for row in rows:
            self._rows += 1
            if self._rows > MOST_ROWS:
                raise TooManyRows
            self._sheet.append([cell(value) for value in row])

    def discard(self) -> None:
        """Give up what was written so far; openpyxl leaves its temporary file behind otherwise."""
        self._sheet.close()
        self._sheet._writer.cleanup()  # noqa: SLF001 - there is no public way

    def save(self, file: IO[bytes]) -> None:
        """Write the whole file; nothing can be added any more."""
        self._book.save(file)
