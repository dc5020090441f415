"""A local stack that is coming up, and its Kafka as one of its users."""

import time
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from deploy.local.stack import NoStackError, Stack, read_stack
from shared.settings import KafkaSettings


def wait_ready(data: Path, timeout: timedelta = timedelta(seconds=60)) -> Stack:
    """Wait until a stack runs in this folder; the file is there when everything is ready.

    Raises `NoStackError` when none does in time.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    while True:
        try:
            return read_stack(data)
        except NoStackError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def kafka_user(stack: Stack, name: str) -> KafkaSettings:
    """Give the connection of one of the users; raises `KeyError` for an unknown one."""
    return KafkaSettings(
        bootstrap=stack.kafka.bootstrap,
        user=name,
        password=SecretStr(stack.kafka.users[name]),
        protocol=stack.kafka.protocol,
        mechanism=stack.kafka.mechanism,
    )
