"""A Python module that runs as a part of the stack and says by HTTP when it is ready."""

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from deploy.local.child import Child

_READY_WITHIN = timedelta(seconds=60)
_PATIENCE_SECONDS = 2.0


class PythonPart(Child):
    """`python -m MODULE`, with its settings in environment variables; ready when `/readyz` is."""

    def __init__(
        self, name: str, module: str, url: str, environment: Mapping[str, str], log: Path
    ) -> None:
        """`url` is where the part listens, without a path."""
        super().__init__(name, log, _READY_WITHIN)
        self.url = url
        self._module = module
        self._environment = environment

    def command(self) -> Sequence[str]:
        """Give the command line."""
        return [sys.executable, "-m", self._module]

    def environment(self) -> Mapping[str, str]:
        """Give the part's settings; its output is not held back in a buffer."""
        return {**self._environment, "PYTHONUNBUFFERED": "1"}

    def is_ready(self) -> bool:
        """Ask `/readyz` once."""
        try:
            with urlopen(f"{self.url}/readyz", timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
                return answer.status == HTTPStatus.OK
        except (URLError, HTTPException, OSError):
            return False  # not listening yet, or 503
