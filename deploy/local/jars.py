"""Apache Kafka's jars: fetched once from Maven Central, and refused when a single byte differs.

`jars.sha256` lists every jar of the class path with its SHA-256 sum. It is our own list: what a
repository says about its own files proves nothing when the repository is the one that changed.
"""

import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

KAFKA_VERSION = "4.3.1"
COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
SUMS = Path(__file__).with_name("jars.sha256")

Progress = Callable[[int, int], None]
"""Called with the number of jars at hand and the number of jars in all, while fetching."""


class JarMismatchError(Exception):
    """A jar is not the one that this version was tested with, or is missing from the list."""


def cache_folder() -> Path:
    """Give the folder of fetched parts: `$XDG_CACHE_HOME/buurtbode`, else `~/.cache/buurtbode`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "buurtbode"


def read_sums(path: Path = SUMS) -> dict[str, str]:
    """Read a list in the format of `sha256sum`: file name to hexadecimal sum."""
    lines = path.read_text(encoding="ascii").splitlines()
    return {name: total for total, name in (line.split(maxsplit=1) for line in lines if line)}


def kafka_jars(
    cache: Path | None = None, sums: Path = SUMS, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Give the verified jars of Kafka's class path, fetching what is not in the cache yet.

    Every jar is read and compared each time (44 MB, some 0.1 s). Raises `JarMismatchError` when
    one differs from the list; then nothing of the folder may be used.
    """
    expected = read_sums(sums)
    root = cache or cache_folder()
    folder = root / f"kafka-{KAFKA_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(root / "kafka.lock"):
        if any(not (folder / name).exists() for name in expected):
            _fetch(root, folder, expected, progress or _silent)
    for name, total in expected.items():
        _verify(folder / name, total)
    return tuple(folder / name for name in expected)


def _silent(_done: int, _total: int) -> None:
    pass


def _verify(jar: Path, expected: str) -> None:
    found = hashlib.sha256(jar.read_bytes()).hexdigest()
    if found != expected:
        message = f"{jar} has SHA-256 {found}, not {expected}: remove it if you trust the source"
        raise JarMismatchError(message)


@contextmanager
def exclusive(path: Path) -> Generator[None]:
    """Let one process work at a time: a test run and `up` share the cache."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch(root: Path, folder: Path, expected: dict[str, str], progress: Progress) -> None:
    """Fetch all jars into a fresh folder and move over those that are what they should be."""
    work = Path(mkdtemp(prefix="fetch-", dir=root))
    try:
        progress(0, len(expected))
        fetched = _resolve(work, _counted(progress, len(expected)))
        unknown = sorted(fetched.keys() ^ expected.keys())
        if unknown:
            message = f"not the jars of the list: {', '.join(unknown)}"
            raise JarMismatchError(message)
        for name, path in fetched.items():
            _verify(path, expected[name])
            path.replace(folder / name)
        progress(len(expected), len(expected))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _counted(progress: Progress, total: int) -> Callable[[str], None]:
    names: set[str] = set()
    lock = threading.Lock()

    def arrived(name: str) -> None:
        if name.endswith(".jar"):
            with lock:  # the resolver downloads in several threads
                names.add(name)
                progress(min(len(names), total), total)

    return arrived


def _resolve(work: Path, arrived: Callable[[str], None]) -> dict[str, Path]:
    """Resolve and download with jgo, into `work` only (its default would write to ~/.m2)."""
    # imported late: jgo takes 0.2 s to import and is needed once per machine
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.env import EnvironmentBuilder, LinkStrategy  # noqa: PLC0415
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

    @contextmanager
    def on_file(name: str, _size: int) -> Generator[Callable[[int], None]]:
        yield lambda _bytes: None
        arrived(name)

    context = MavenContext(
        resolver=PythonResolver(progress_callback=on_file),
        repo_cache=work / "repository",
        remote_repos={"central": MAVEN_CENTRAL_URL},
    )
    builder = EnvironmentBuilder(
        context=context, cache_dir=work / "environments", link_strategy=LinkStrategy.HARD
    )
    environment = builder.from_endpoint(COORDINATES)
    jars = [*environment.class_path_jars, *environment.module_path_jars]
    return {jar.name: jar for jar in jars}
