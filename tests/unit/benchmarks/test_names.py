"""Which benchmarks there are, and what is said of a wrong name."""

import ast
import subprocess
import sys
from pathlib import Path

from benchmarks.__main__ import BENCHMARKS

FOLDER = Path(__file__).parents[3] / "benchmarks"


def test_every_module_that_measures_is_a_benchmark_and_no_other() -> None:
    """A helper among them, which needs another environment, once ended the run of all."""
    measuring = {
        file.stem
        for file in FOLDER.glob("*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == "measure"
    }
    assert set(BENCHMARKS) == measuring


def test_a_wrong_name_is_refused_before_anything_is_measured() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "audit_verify", "nonsense"],
        capture_output=True,
        text=True,
        check=False,
        cwd=FOLDER.parent,
    )
    assert done.returncode == 2
    assert "there is no nonsense" in done.stderr
