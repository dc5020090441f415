"""The Celery architecture as processes: a Redis, a pre-forking worker, and whoever enqueues."""

import os
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.dispatcher_rig import Provider, cpu
from deploy.local.ports import LOOPBACK, free_port

_HERE = Path(__file__).parent
PYTHON = _HERE.parent / ".venv-bench" / "bin" / "python"
"""Celery has an environment of its own, made by `make bench`: it pins other versions than ours."""

_ENQUEUE = """
import sys
from celery_tasks import deliver
for number in range(int(sys.argv[1])):
    deliver.delay(f"+{32_450_000_000 + number}", "BIN Demo: Inbraak in de Voorbeeldstraat. " * 3)
"""
_WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class CeleryRun:
    """Notifications from the first enqueued to the last accepted."""

    count: int
    seconds: float
    cpu: float
    """Processor seconds of worker, Redis and whoever enqueues."""


@dataclass(frozen=True, slots=True)
class CeleryRig:
    """A running worker."""

    environment: dict[str, str]
    processes: tuple[psutil.Process, ...]

    def deliver(self, provider: Provider, count: int) -> CeleryRun:
        """Enqueue and wait until the provider has all."""
        provider.reset()
        before = self._used()
        began = time.monotonic()
        enqueuer = subprocess.Popen(
            [PYTHON, "-c", _ENQUEUE, str(count)], env=self.environment, cwd=_HERE
        )
        while (book := provider.read())["count"] < count:
            if time.monotonic() - began > _WITHIN_S:
                raise RuntimeError("Celery did not deliver in time")
            time.sleep(0.05)
        _, status, own = os.wait4(enqueuer.pid, 0)
        if status:
            raise RuntimeError("enqueuing failed")
        used = self._used() - before + own.ru_utime + own.ru_stime
        return CeleryRun(count, book["last"] - began, used)

    def _used(self) -> float:
        return cpu(*self.processes)


@contextmanager
def celery(provider: Provider, folder: Path, concurrency: int) -> Generator[CeleryRig]:
    """Start Redis and a worker with so many processes; leaving ends them."""
    server = shutil.which("redis-server")
    if server is None or not PYTHON.exists():
        raise RuntimeError("needs redis-server, and `make bench` for Celery's environment")
    port = free_port()
    environment = {
        **os.environ,
        "BENCH_REDIS": f"redis://{LOOPBACK}:{port}/0",
        "BENCH_TWILIO": provider.url,
    }
    redis = subprocess.Popen(
        [server, "--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    with (folder / "celery.log").open("wb") as log:
        worker = subprocess.Popen(
            [
                *(PYTHON, "-m", "celery", "-A", "celery_tasks", "worker", "--loglevel", "WARNING"),
                *("--concurrency", str(concurrency), "--without-gossip", "--without-mingle"),
            ],
            env=environment,
            cwd=_HERE,
            stdout=log,
            stderr=log,
        )
        try:
            time.sleep(5)  # until all its processes are there
            children = psutil.Process(worker.pid).children(recursive=True)
            ours = (psutil.Process(redis.pid), psutil.Process(worker.pid), *children)
            yield CeleryRig(environment, ours)
        finally:
            worker.terminate()
            worker.wait()
            redis.terminate()
            redis.wait()
