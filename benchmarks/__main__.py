"""`python -m benchmarks [NAME ...]`: measure, and write each result into docs/performance.md.

Each benchmark is a module with `TITLE` and `measure`; without names, all run, one after the other.
A section of the document belongs to one module and is replaced when that module runs.
"""

import argparse
import importlib
import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
_HEADING = """# Performance

Measured by `python -m benchmarks`. What is compared is run in turns, so that a busy machine slows
all alike: the ratios say more than the figures. Each section names its machine and its load.
"""


BENCHMARKS = (
    "audit_append",
    "audit_chaos",
    "audit_reading",
    "audit_verify",
    "audit_zones",
    "dispatcher_growth",
    "dispatcher_large",
    "dispatcher_mail",
    "dispatcher_restarts",
    "dispatcher_small",
    "dispatcher_sms",
    "local_stack",
    "registry_import",
    "registry_members",
    "registry_republish",
)


def main(arguments: list[str]) -> None:
    """Run the benchmarks named, or all."""
    for name in _wanted(arguments):
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"{name} ...", flush=True)
        before = psutil.cpu_times()
        lines: list[str] = module.measure()
        _write(name, str(module.TITLE), [*lines, "", _where(_stolen(before))])


def _wanted(arguments: list[str]) -> list[str]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure, and write each result into docs/performance.md.",
        epilog=f"Names: {', '.join(BENCHMARKS)}. All of them take about an hour and a half.",
    )
    parser.add_argument("name", nargs="*", help="what to measure; without one, everything")
    names: list[str] = parser.parse_args(arguments).name
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; see --help for the names")
    return names or list(BENCHMARKS)


def _stolen(before: Any) -> float:
    """Give the share of the processors' time since then that a host gave to others (0 to 1).

    It is what makes a virtual machine slow by turns, and nothing in it shows that otherwise.
    """
    after = psutil.cpu_times()
    stolen: float = getattr(after, "steal", 0.0) - getattr(before, "steal", 0.0)
    return stolen / max(sum(after) - sum(before), 1e-9)


def _where(stolen: float) -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    today = datetime.now(UTC).date().isoformat()
    return (
        f"{today}; {os.cpu_count()} cores, Python {platform.python_version()}; load averages "
        f"(1, 5, 15 minutes) at the end of the run: {load}; {stolen:.1%} of the processors' time "
        "went to others on the host."
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
