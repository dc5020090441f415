"""One real local stack, with the demo's people, for all end-to-end tests of a run."""

import signal
import subprocess
import uuid
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from cli.demo_people import audience
from deploy.local.stack import NoStackError
from tests.e2e.local_stack import LocalStack, start_up
from tests.support.stacks import wait_ready


@pytest.fixture(scope="package")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[LocalStack]:
    """Start `buurtbode up --with-demo-data` as a child; hold that it ends cleanly."""
    data = tmp_path_factory.mktemp("stack") / "data"
    child = start_up(data, "--with-demo-data")
    said: list[str] = []
    listener = Thread(target=_listen, args=(child, said), daemon=True)
    listener.start()
    try:
        _wait(child, data, said)
        stack = LocalStack(data)
        stack.said = said
        yield stack
        stack.close()
    finally:
        child.send_signal(signal.SIGTERM)
        code = child.wait(timeout=60)
        listener.join(timeout=5)
    assert code == 0, "\n".join(said)


def _listen(child: subprocess.Popen[str], said: list[str]) -> None:
    assert child.stdout is not None
    with child.stdout as lines:
        said.extend(line.rstrip() for line in lines)


def _wait(child: subprocess.Popen[str], data: Path, said: list[str]) -> None:
    """Wait until the stack is ready; the first time on a machine, Kafka is fetched."""
    for _ in range(300):
        if child.poll() is not None:
            pytest.fail("`buurtbode up` ended:\n" + "\n".join(said))
        try:
            wait_ready(data, timedelta(seconds=1))
        except NoStackError:
            continue
        return
    pytest.fail("`buurtbode up` was not ready in 5 minutes:\n" + "\n".join(said))


@pytest.fixture
def stack(local_stack: LocalStack) -> LocalStack:
    """Give the stack, ready and without faults or messages left over from the test before."""
    local_stack.behave()
    local_stack.forget()
    local_stack.wait_ready()
    return local_stack


@pytest.fixture
def marker() -> str:
    """Give a word that is in no other test's messages."""
    return uuid.uuid4().hex[:10]


@pytest.fixture
def numbers() -> list[str]:
    """Give the phones that an alert to all three networks must reach, each once."""
    return [str(person.phone) for person in audience()]
