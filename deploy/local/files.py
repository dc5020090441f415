"""Files with secrets: written at once or not at all, readable by their owner only."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_private(path: Path, content: str | bytes) -> None:
    """Replace `path` by a file of mode 600 in one step: a reader sees the old or the new one."""
    data = content.encode() if isinstance(content, str) else content
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        temporary = Path(file.name)  # made with mode 600
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


@contextmanager
def private_temporary_file(content: str) -> Generator[Path]:
    """Give a file of mode 600 with this content, for as long as the block runs."""
    with NamedTemporaryFile("w", encoding="utf-8", prefix="buurtbode-") as file:
        file.write(content)
        file.flush()
        yield Path(file.name)
