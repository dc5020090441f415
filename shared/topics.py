"""Every Kafka topic, declared once: partitions, retention, key, who writes it and who reads it.

`buurtbode topics apply` creates the topics and the ACLs that follow from this table, the tests
try each refusal, and the AsyncAPI documents are generated from it. Nothing is auto-created.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

PARTITIONS = 8
"""Equal on every topic that our services write, so that one audit process owns a whole zone."""

DLQ_SUFFIX = ".dlq"


class Party(StrEnum):
    """Who may write or read a topic. `POLICE` stands for every user `police-<zone_id>`."""

    REGISTRY = "registry"
    DISPATCHER = "dispatcher"
    AUDIT = "audit"
    POLICE = "police"
    WITNESS = "witness"


SERVICES = (Party.REGISTRY, Party.DISPATCHER, Party.AUDIT)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `retention` is None for a topic that is compacted and never expires by age.

    `independent`: its events do not depend on each other, so that their order means nothing beyond
    their times. Others are published in order per key, for which all changes of a key exclude each
    other; a zone's many look-ups and notices need not wait for one another.
    """

    name: str
    key: str
    writers: tuple[Party, ...]
    readers: tuple[Party, ...]
    personal_data: str
    retention: timedelta | None = None
    compact_within: timedelta | None = None
    partitions: int = PARTITIONS
    independent: bool = False
    record_bytes: int | None = None
    """The most that a record may have, for a topic that outsiders write."""

    @property
    def dlq(self) -> str:
        """The dead-letter topic of this topic's consumers."""
        return self.name + DLQ_SUFFIX

    def settings(self) -> dict[str, str]:
        """Give the broker's topic settings, but for what follows from the number of replicas.

        Kafka's defaults keep an overwritten record on a quiet topic for good (7-day segments, no
        maximum lag), which would keep a departed member's number: hence the explicit lag.

        A limit holds for what a record is, not for what it was compressed to: the broker then
        stores records as they are, and 20 MB of one letter are no 20 KB to whoever reads them.
        """
        return self._size() | self._life()

    def _size(self) -> dict[str, str]:
        if self.record_bytes is None:
            return {}
        return {"max.message.bytes": str(self.record_bytes), "compression.type": "uncompressed"}

    def _life(self) -> dict[str, str]:
        if self.retention is not None:
            return {"cleanup.policy": "delete", "retention.ms": str(_ms(self.retention))}
        lag = self.compact_within or timedelta(days=7)
        return {
            "cleanup.policy": "compact",
            "max.compaction.lag.ms": str(_ms(lag)),
            "segment.ms": str(_ms(min(lag, timedelta(hours=12)))),
            "delete.retention.ms": str(_ms(timedelta(days=7))),
        }


def _ms(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)


_DAY = timedelta(days=1)
_REGISTRY, _DISPATCHER, _AUDIT = SERVICES

ALERTS = Topic(
    "bin.alerts",
    "zone_id",
    (Party.POLICE,),
    (_DISPATCHER, _AUDIT),
    "text",
    retention=7 * _DAY,
    record_bytes=128 * 1024,  # four texts of 1,200 characters and 500 networks, all escaped
)
PROPOSALS = Topic(
    "bin.bulletins.proposed",
    "zone_id",
    (Party.POLICE,),
    (_REGISTRY, _AUDIT),
    "text",
    retention=30 * _DAY,
    record_bytes=1024 * 1024,  # four bodies of 20,000 characters, all escaped
)
VERDICTS = Topic(
    "bin.verdicts",
    "zone_id or -",
    (_DISPATCHER, _REGISTRY),
    (Party.POLICE, _REGISTRY, _AUDIT, _DISPATCHER),
    "none",
    retention=30 * _DAY,
)
BULLETINS = Topic(
    "bin.bulletins",
    "zone_id",
    (_REGISTRY,),
    (_DISPATCHER, _AUDIT, _REGISTRY),
    "text",
    retention=30 * _DAY,
)
ZONES = Topic(
    "bin.zones",
    "zone_id",
    (_REGISTRY,),
    (_DISPATCHER, _AUDIT, _REGISTRY),
    "officers' ids, public keys",
    compact_within=7 * _DAY,
)
NETWORKS = Topic(
    "bin.networks",
    "network_id",
    (_REGISTRY,),
    (_DISPATCHER, _AUDIT, _REGISTRY),
    "contacts and token subjects of officer, coordinators, deputies",
    compact_within=7 * _DAY,
)
MEMBERS = Topic(
    "bin.members",
    "member_id",
    (_REGISTRY,),
    (_DISPATCHER, _REGISTRY),
    "contact details, link tokens",
    compact_within=_DAY,
)
ERASURES = Topic(
    "bin.erasures",
    "member_id",
    (_REGISTRY,),
    SERVICES,
    "a random id, the zone",
    compact_within=7 * _DAY,
)
NOTICES = Topic(
    "bin.notices",
    "zone_id",
    (_REGISTRY, _AUDIT),
    (_DISPATCHER, _AUDIT),
    "none",
    retention=7 * _DAY,
    independent=True,
)
SENDS = Topic(
    "bin.sends",
    "zone_id",
    (_DISPATCHER,),
    (_AUDIT, _REGISTRY, _DISPATCHER),
    "pseudonyms",
    retention=30 * _DAY,
)
ACCESS = Topic(
    "bin.access",
    "zone_id",
    SERVICES,
    (_AUDIT,),
    "pseudonyms; reader and reason",
    retention=30 * _DAY,
    independent=True,
)
REPLAYS = Topic(
    "bin.replays", "zone_id", (_AUDIT,), (_DISPATCHER, _REGISTRY), "none", retention=7 * _DAY
)
CHECKPOINTS = Topic(
    "bin.checkpoints",
    "zone_id",
    (_AUDIT,),
    (_AUDIT, Party.WITNESS),
    "none",
    retention=365 * _DAY,
)

SOURCE_TOPICS = (
    ALERTS,
    PROPOSALS,
    VERDICTS,
    BULLETINS,
    ZONES,
    NETWORKS,
    MEMBERS,
    ERASURES,
    NOTICES,
    SENDS,
    ACCESS,
    REPLAYS,
    CHECKPOINTS,
)

POLICE_TOPICS = (ALERTS, PROPOSALS)
"""What outsiders write: a DLQ that fills here raises an alarm and never stops the consumer."""


def dlq_topics() -> Iterator[Topic]:
    """Give one dead-letter topic per source; whoever reads the source may write its DLQ."""
    for source in SOURCE_TOPICS:
        consumers = tuple(party for party in source.readers if party in SERVICES)
        yield Topic(
            source.dlq,
            source.key,
            consumers,
            (),  # operators only: the operator is a superuser of the broker
            "none: position, reason, hash",
            retention=30 * _DAY,
            partitions=1,
        )


TOPICS: dict[str, Topic] = {topic.name: topic for topic in (*SOURCE_TOPICS, *dlq_topics())}


def group(service: Party, purpose: str) -> str:
    """Name a consumer group. A service may use exactly the groups that start with its name."""
    return f"{service}.{purpose}"
