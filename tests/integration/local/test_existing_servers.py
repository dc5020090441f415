"""`up --kafka host:port --mongo URL`: servers that are already there are used, and left running."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.kafka_admin import answers, apply_topics
from deploy.local.kafka import KafkaBroker
from deploy.local.mongod import Mongod
from deploy.local.options import UpOptions, as_user
from deploy.local.running import AlreadyRunningError, run_stack
from deploy.local.stack import Stack, read_stack
from deploy.local.vault import Vault
from tests.support.servers import local_broker, local_mongod
from tests.support.stacks import kafka_user


@pytest.fixture
def there(tmp_path: Path) -> Generator[tuple[KafkaBroker, Mongod]]:
    """Give a broker and a database server that the stack did not start."""
    folder = tmp_path / "there"
    broker, mongod = local_broker(folder), local_mongod(folder)
    try:
        broker.start()
        mongod.start()
        yield broker, mongod
    finally:
        broker.stop()
        mongod.stop()


async def test_existing_servers_are_prepared_and_left_running(
    there: tuple[KafkaBroker, Mongod], tmp_path: Path
) -> None:
    """Topics, ACLs and users are made there; only the rest is started; people are loaded once."""
    broker, mongod = there
    password = broker.operator.password.get_secret_value()
    options = UpOptions(
        tmp_path / "stack",
        kafka=f"operator:{password}@{broker.bootstrap}",
        mongo=mongod.admin_url,
        services=(),
    )
    loaded: list[Stack] = []
    for _ in range(2):
        async with run_stack(options, load=loaded.append) as running:
            stack = read_stack(running.data)
            assert stack == running.read()
            assert stack.pids.keys() == {"sandbox"}
            assert stack.kafka.bootstrap == broker.bootstrap
            assert answers(kafka_user(stack, "police-demo"))
            assert not apply_topics(kafka_user(stack, "operator"))
            with pytest.raises(AlreadyRunningError):
                async with run_stack(options):
                    pass
    assert len(loaded) == 1
    assert broker.running
    assert mongod.running
    _check_users(tmp_path / "stack", mongod)


def _check_users(data: Path, mongod: Mongod) -> None:
    """Look whether each service's user sees its own database only."""
    password = Vault(data / "secrets").password("mongo-audit")
    with MongoClient[dict[str, Any]](as_user(mongod.admin_url, "audit", password)) as client:
        client["audit"]["things"].insert_one({})
        with pytest.raises(OperationFailure, match="not authorized"):
            client["registry"]["things"].find_one()
