"""Cells of the tables that people open in a spreadsheet program."""

import re

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet program may execute (OWASP, CSV injection)."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What XML, and so an XLSX file, cannot hold."""


def safe_cell(text: str) -> str:
    """Give a cell that is shown as it is and never executed: an apostrophe makes it text."""
    shown = _CONTROL.sub("\ufffd", text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
