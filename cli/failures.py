"""What a command says when it cannot do what was asked: one sentence, never a traceback."""

from pathlib import Path

FAILED = 1
WRONGLY_CALLED = 2
NO_ANSWER = 3
NOT_ADMITTED = 4
"""Exit codes. 2 is also Click's own, for a command line that is wrong."""


class CommandError(Exception):
    """The command cannot go on. The message says what to do, to whoever typed the command."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        """`exit_code` is what the process ends with."""
        super().__init__(message)
        self.exit_code = exit_code


def cannot_read(path: Path, error: OSError) -> str:
    """Say that a file cannot be read, and why."""
    return f"cannot read {path} ({error.strerror})"


class UnclearError(CommandError):
    """A message may go out or not, and nobody here can tell: what is sent next decides on that."""
