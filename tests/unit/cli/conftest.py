"""What the tests of the command line share."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from cli.main import main


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did: its exit code and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process, as its entry point does."""
    for name in ("STACK", "KEY", "TOKEN", "KAFKA", "REGISTRY", "DISPATCHER", "AUDIT"):
        monkeypatch.delenv(f"BUURTBODE_{name}", raising=False)

    def call(*arguments: object) -> Ran:
        monkeypatch.setattr("sys.argv", ["buurtbode", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0, said.out, said.err)

    return call
