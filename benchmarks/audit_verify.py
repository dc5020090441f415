"""How fast `buurtbode verify` checks a bundle, and whether its memory grows with it."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.audit_rig import send
from services.audit.domain.bundle import Header, entry_line, header_line
from services.audit.domain.drafting import draft_of
from services.audit.domain.entries import Sealed, seal
from services.audit.domain.merkle import Frontier, leaf_hash
from services.audit.domain.notes import Checkpoint, Verifier, origin_of, sign_note

TITLE = "Audit: verifying a bundle"
ROUNDS = {5_000: 3, 50_000: 3, int(os.environ.get("BUURTBODE_BENCHMARK_VERIFIED", "1000000")): 1}
"""How often each size is verified. The largest is written and read as it is, some 900 MB of it."""

SIZES = tuple(ROUNDS)
_CHILD = (
    "import resource, sys, time; from pathlib import Path; "
    "from services.audit.verify import verify_file; "
    "code, said = verify_file(Path(sys.argv[1]), sys.argv[2]); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()); sys.exit(code)"
)


def measure() -> list[str]:
    """Verify bundles of several sizes in turns, each in a process of its own."""
    key = Ed25519PrivateKey.generate()
    verifier = Verifier.of(origin_of("demo"), key.public_key())
    seconds: dict[int, list[float]] = {size: [] for size in SIZES}
    processors: dict[int, list[float]] = {size: [] for size in SIZES}
    megabytes: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = {size: Path(folder) / f"{size}.ndjson" for size in SIZES}
        for size, path in files.items():
            _write(path, size, key, verifier)
        for number in range(max(ROUNDS.values())):
            for size, path in files.items():
                if number >= ROUNDS[size]:
                    continue
                taken, processor, used = _verify(path, verifier.vkey)
                processors[size].append(processor)
                seconds[size].append(taken)
                megabytes[size] = used
    rates = [SIZES[-1] / taken for taken in seconds[SIZES[-1]]]
    middle = statistics.median(rates)
    return [
        "| entries | seconds, median | processor seconds | most memory |",
        "|---|---|---|---|",
        *(
            f"| {size:,} | {statistics.median(seconds[size]):.1f} "
            f"| {statistics.median(processors[size]):.1f} | {megabytes[size]:.0f} MB |"
            for size in SIZES
        ),
        "",
        (
            f"{middle:,.0f} entries/s, the start of the "
            f"process included, over a bundle of {SIZES[-1]:,} entries."
        ),
    ]


def _entries(count: int) -> Iterator[Sealed]:
    for number in range(count):
        draft = draft_of(send("demo", number))
        if draft is not None:
            yield seal(draft, number, "demo", number.to_bytes(32, "big"))


def _write(path: Path, size: int, key: Ed25519PrivateKey, verifier: Verifier) -> None:
    frontier, body = Frontier(), path.with_suffix(".body")
    with body.open("wb") as file:
        for entry in _entries(size):
            frontier.append(leaf_hash(entry.body))
            file.write(entry_line(entry.body, entry.part, entry.salt))
    checkpoint = Checkpoint(verifier.name, size, frontier.root())
    note = sign_note(checkpoint.text, verifier, key.sign)
    with path.open("wb") as file, body.open("rb") as entries:
        file.write(header_line(Header(verifier.name, size, note, verifier.vkey)))
        shutil.copyfileobj(entries, file)
    body.unlink()


def _verify(path: Path, vkey: str) -> tuple[float, float, float]:
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path), vkey], check=True, capture_output=True, text=True
    )
    taken = time.perf_counter() - begun
    kilobytes, processor = done.stdout.split()
    return taken, float(processor), int(kilobytes) / 1024
