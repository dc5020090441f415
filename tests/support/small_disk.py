"""A database server on a disk of its own that a test can fill: a small tmpfs in a namespace.

No root is needed where the kernel lets a user make namespaces (`unshare --user --mount`).
"""

import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local.files import write_private
from deploy.local.mongod import Mongod, MongoSecrets

_SIZE = 450 * 1024 * 1024
"""MongoDB sets 100 MB aside per journal file, and has two or three."""


class SmallDisk:
    """A tmpfs that lives as long as one process; seen from outside by that process's root."""

    def __init__(self, holder: subprocess.Popen[str], folder: Path) -> None:
        """Name the process that holds it."""
        self.holder = holder.pid
        self.inside = folder
        self.outside = Path(f"/proc/{holder.pid}/root{folder}")

    @property
    def _ballast(self) -> Path:
        return self.outside / "ballast"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._ballast.open("wb", buffering=0) as file:
            for step in (1024 * 1024, 4096):
                block = bytes(step)
                try:
                    while True:
                        file.write(block)
                except OSError:
                    continue

    def make_room(self) -> None:
        """Give all of it back."""
        self._ballast.unlink()

    def free(self) -> int:
        """Give the bytes that are left."""
        return shutil.disk_usage(self.outside).free


@contextmanager
def small_disk(folder: Path) -> Generator[SmallDisk]:
    """Mount it over a folder; leaving unmounts it."""
    folder.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size={_SIZE} tmpfs "$0" && echo mounted && exec sleep infinity'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            said = holder.stdout.readline()
            assert said == "mounted\n", "this kernel lets nobody make a user namespace"
            yield SmallDisk(holder, folder)
        finally:
            holder.terminate()


class SmallDiskMongod(Mongod):
    """A database server whose folder is on a small disk."""

    def __init__(self, disk: SmallDisk, port: int) -> None:
        """Bind to the disk."""
        super().__init__(disk.inside, port, MongoSecrets("admin-password", {}))
        self._disk = disk

    def prepare(self) -> None:
        """Put the key file onto the disk."""
        key = self._disk.outside / self._key_file.name
        if not key.exists():
            write_private(key, os.urandom(64).hex())

    def command(self) -> Sequence[str]:
        """Run it where the disk is."""
        enter = ("nsenter", "--target", str(self._disk.holder), "--user", "--mount")
        return [*enter, "--preserve-credentials", *super().command()]
