"""`python -m benchmarks [NAME ...]`: measure, and write each result into docs/performance.md.

Every module of this package that has `TITLE` and `measure` is a benchmark; without names, all run.
A section of the document belongs to one module and is replaced when that module runs.
"""

import importlib
import os
import pkgutil
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import benchmarks

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
_HEADING = """# Performance

Measured by `python -m benchmarks`. What is compared is run in turns, so that a busy machine slows
all alike: the ratios say more than the figures. Each section names its machine and its load.
"""


def main(wanted: list[str]) -> None:
    """Run the benchmarks named, or all."""
    for name in wanted or _names():
        module = importlib.import_module(f"benchmarks.{name}")
        if not hasattr(module, "measure"):
            continue
        print(f"{name} ...", flush=True)
        lines: list[str] = module.measure()
        _write(name, str(module.TITLE), [*lines, "", _where()])


def _names() -> list[str]:
    found = pkgutil.iter_modules(benchmarks.__path__)
    return sorted(item.name for item in found if not item.name.startswith("_"))


def _where() -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    today = datetime.now(UTC).date().isoformat()
    return (
        f"{today}; {os.cpu_count()} cores, Python {platform.python_version()}; load averages "
        f"(1, 5, 15 minutes) at the end of the run: {load}."
    )


def _write(name: str, title: str, lines: list[str]) -> None:
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else _HEADING
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    section = "\n".join([begin, f"## {title}", "", *lines, end])
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(text):
        text = pattern.sub(lambda _: section, text)
    else:
        text = f"{text.rstrip()}\n\n{section}\n"
    DOCUMENT.write_text(text, encoding="utf-8")
    print(section)


if __name__ == "__main__":
    main(sys.argv[1:])
