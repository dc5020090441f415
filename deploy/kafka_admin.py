"""Topics, users, ACLs and quotas of a Kafka cluster, as they follow from `shared.topics`.

Used by `buurtbode topics apply`, `buurtbode client add | revoke`, the local stack and the tests.
Every function connects as the operator, who is a superuser of the cluster, and can be repeated.
"""

# pyright: reportPrivateImportUsage=false
# (confluent-kafka does not mark what it exports)

import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    TopicMetadata,
    UserScramCredentialUpsertion,
)

from shared.settings import KafkaSettings
from shared.topics import SERVICES, TOPICS, Party, Topic

OPERATOR = "operator"
"""The superuser: reads dead letters, makes topics and users. The table gives it no ACL."""

POLICE_PREFIX = "police-"
PRODUCE_QUOTA = 262_144
"""Bytes per second a police client may write: some 200 alerts a second, none of them by hand."""

_Admin = Any
"""An `AdminClient`: its hints leave results untyped, and deny what it accepts."""

_Filter: Any = AclBindingFilter

_TIMEOUT = 15.0
_ITERATIONS = 4096
"""Of SCRAM, RFC 7677's minimum: the passwords are long and random, more would only cost time."""

_ZONE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_REPLICAS_FOR_MAJORITY = 3


class KafkaUnreachableError(Exception):
    """The cluster did not answer: it is not there, or the user's password is wrong."""


class TopicMismatchError(Exception):
    """A topic has other partitions than the table says; changing that would break its order."""


class BadZoneIdError(ValueError):
    """A zone id that cannot be part of a user name."""


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One permission: `principal` may do `operation` on what `name` (or its prefix) says."""

    principal: str
    resource: ResourceType
    name: str
    operation: AclOperation
    prefixed: bool = False

    def __str__(self) -> str:
        """Describe the permission for an operator."""
        star = "*" if self.prefixed else ""
        what = f"{self.resource.name.lower()} {self.name}{star}"
        return f"{self.principal} {self.operation.name.lower()} {what}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What `apply_topics` changed; all empty when there was nothing to do."""

    topics_created: tuple[str, ...] = ()
    topics_altered: tuple[str, ...] = ()
    acls_added: tuple[str, ...] = ()
    acls_removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Say whether anything changed."""
        parts = (self.topics_created, self.topics_altered, self.acls_added, self.acls_removed)
        return any(parts)


def client_settings(user: KafkaSettings) -> dict[str, Any]:
    """Give librdkafka's settings to connect as this user."""
    settings: dict[str, Any] = {
        "bootstrap.servers": user.bootstrap,
        "security.protocol": user.protocol,
        "sasl.mechanism": user.mechanism,
        "sasl.username": user.user,
        "sasl.password": user.password.get_secret_value(),
        "reconnect.backoff.max.ms": 200,
        "log_level": 0,  # what goes wrong is raised; librdkafka would write to stderr as well
    }
    if user.ca_file is not None:
        settings["ssl.ca.location"] = str(user.ca_file)
    return settings


def answers(user: KafkaSettings, timeout: float = 2.0) -> bool:
    """Say whether the cluster answers this user within `timeout` seconds."""
    try:
        AdminClient(client_settings(user)).list_topics(timeout=timeout)
    except KafkaException:
        return False
    return True


def apply_topics(
    operator: KafkaSettings, replication: int = 1, timeout: float = _TIMEOUT
) -> Changes:
    """Make the cluster what the table of topics says, and say what had to change.

    Creates missing topics, corrects settings, adds missing ACLs of the services and of each client
    that has any, and removes every other ACL of theirs or on our topics. `replication` is
    the replication factor of new topics, `timeout` how many seconds to wait for the cluster.
    Raises `TopicMismatchError` or `KafkaUnreachableError`.
    """
    admin = _connect(operator, timeout)
    present = admin.list_topics(timeout=_TIMEOUT).topics
    created = _create_topics(admin, present, replication)
    altered = _alter_topics(admin, {name: present[name] for name in TOPICS if name in present})
    added, removed = _apply_acls(admin, clients(operator))
    return Changes(created, altered, added, removed)


def add_service_user(operator: KafkaSettings, name: str, password: str | None = None) -> str:
    """Make a user or change its password; gives the password, a random one by default."""
    chosen = password or secrets.token_urlsafe(24)
    _set_passwords(_connect(operator), {name: chosen})
    return chosen


def add_service_users(operator: KafkaSettings, passwords: dict[str, str]) -> None:
    """Make several users, or change their passwords, in one call."""
    _set_passwords(_connect(operator), passwords)


def police_user(zone_id: str) -> str:
    """Name the Kafka user of a zone's police client; raises `BadZoneIdError`."""
    if not _ZONE_ID.fullmatch(zone_id):
        message = f"a zone id has small letters, digits and hyphens only, not {zone_id!r}"
        raise BadZoneIdError(message)
    return POLICE_PREFIX + zone_id


def add_police_client(operator: KafkaSettings, zone_id: str, password: str | None = None) -> str:
    """Make the Kafka user of a zone's police client with its ACLs, and give its password.

    An existing client gets the new password. Raises `BadZoneIdError`. The quota is set apart,
    by `deploy.kafka_quota.set_produce_quota`, since that needs Kafka's own jars.
    """
    return _add_client(operator, police_user(zone_id), password)


def add_witness(operator: KafkaSettings, password: str | None = None) -> str:
    """Make the Kafka user of whoever witnesses the audit logs, likewise; it writes nothing."""
    return _add_client(operator, Party.WITNESS.value, password)


def revoke_client(operator: KafkaSettings, user: str) -> bool:
    """Take a client its permissions and its password; says whether it had any.

    `user` is the witness or a zone's `police_user`. The permissions go first: a client that is
    connected is refused from that moment on. The password becomes one that nobody knows. It is not
    deleted: a Kafka 4.3.1 whose log holds the removal of a SCRAM credential lets nobody in after
    its next start, the operator included.
    """
    admin = _connect(operator)
    held = {acl for acl in _present_acls(admin) if acl.principal == _principal(user)}
    if held:
        _remove_acls(admin, held)
        _set_passwords(admin, {user: secrets.token_hex(32)})
    return bool(held)


def clients(operator: KafkaSettings) -> tuple[str, ...]:
    """Give the names of the clients of outsiders that have permissions, in order."""
    admin = _connect(operator)  # held: an admin client that is collected never answers
    users = {acl.principal.removeprefix(_principal("")) for acl in _present_acls(admin)}
    return tuple(sorted(filter(_is_client, users)))


def wanted_acls(outsiders: Iterable[str] = ()) -> Iterator[Acl]:
    """Give every ACL that follows from the table, for these clients of outsiders."""
    for party in SERVICES:
        yield from _topic_acls(party, party.value)
        yield _group_acl(party, f"{party}.", prefixed=True)
    for user in outsiders:
        yield from _client_acls(user)


def _add_client(operator: KafkaSettings, user: str, password: str | None) -> str:
    password = add_service_user(operator, user, password)
    admin = _connect(operator)
    wanted = set(_client_acls(user))
    _add_acls(admin, wanted - _present_acls(admin))
    return password


def _is_client(user: str) -> bool:
    return user == Party.WITNESS or user.startswith(POLICE_PREFIX)


def _client_acls(user: str) -> Iterator[Acl]:
    """Give a client's ACLs; its groups have its own name, or start with it and a dot."""
    yield from _topic_acls(Party.WITNESS if user == Party.WITNESS else Party.POLICE, user)
    yield _group_acl(user, user)
    yield _group_acl(user, f"{user}.", prefixed=True)


def _group_acl(user: str, name: str, *, prefixed: bool = False) -> Acl:
    return Acl(_principal(user), ResourceType.GROUP, name, AclOperation.READ, prefixed)


def _topic_acls(party: Party, user: str) -> Iterator[Acl]:
    """Give a party's ACLs on topics. An idempotent producer needs no more than WRITE."""
    principal = _principal(user)
    for topic in TOPICS.values():
        operations = {
            AclOperation.WRITE: party in topic.writers,
            AclOperation.READ: party in topic.readers,
            AclOperation.DESCRIBE: party in (*topic.writers, *topic.readers),
        }
        for operation, allowed in operations.items():
            if allowed:
                yield Acl(principal, ResourceType.TOPIC, topic.name, operation)


def _principal(user: str) -> str:
    return f"User:{user}"


def _connect(operator: KafkaSettings, timeout: float = _TIMEOUT) -> _Admin:
    admin = AdminClient(client_settings(operator))
    try:
        admin.list_topics(timeout=timeout)
    except KafkaException as problem:
        message = (
            f"Kafka at {operator.bootstrap} does not answer user {operator.user}:"
            " it is not there, or the password is wrong"
        )
        raise KafkaUnreachableError(message) from problem
    return admin


def _finish(futures: dict[Any, Any]) -> None:
    for future in futures.values():
        future.result(_TIMEOUT)


def _settings(topic: Topic, replication: int) -> dict[str, str]:
    """Give a topic's settings; with three replicas, two must have each record."""
    safe = 2 if replication >= _REPLICAS_FOR_MAJORITY else 1
    return {**topic.settings(), "min.insync.replicas": str(safe)}


def _new_topic(topic: Topic, replication: int) -> NewTopic:
    return NewTopic(
        topic.name,
        num_partitions=topic.partitions,
        replication_factor=replication,
        config=_settings(topic, replication),
    )


def _create_topics(
    admin: _Admin, present: Mapping[str, TopicMetadata], replication: int
) -> tuple[str, ...]:
    missing = [topic for name, topic in TOPICS.items() if name not in present]
    for name in TOPICS.keys() & present.keys():
        found, wanted = len(present[name].partitions), TOPICS[name].partitions
        if found != wanted:
            message = f"{name} has {found} partitions, the table says {wanted}"
            raise TopicMismatchError(message)
    if missing:
        new = [_new_topic(topic, replication) for topic in missing]
        _finish(admin.create_topics(new, operation_timeout=_TIMEOUT))
    return tuple(topic.name for topic in missing)


def settings_of(topic: Topic, present: TopicMetadata) -> dict[str, str]:
    """Give the settings that a topic that is there should have, by the replicas that it has."""
    return _settings(topic, min(len(one.replicas) for one in present.partitions.values()))


def _alter_topics(admin: _Admin, present: Mapping[str, TopicMetadata]) -> tuple[str, ...]:
    """Correct the settings of topics that were there; gives the topics that differed."""
    if not present:
        return ()
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in sorted(present)]
    described = admin.describe_configs(resources)
    corrections: list[ConfigResource] = []
    for resource, future in described.items():
        entries: dict[str, ConfigEntry] = future.result(_TIMEOUT)
        wanted = settings_of(TOPICS[resource.name], present[resource.name])
        differing = {k: v for k, v in wanted.items() if entries[k].value != v}
        if differing:
            corrections.append(_correction(resource.name, differing))
    if corrections:
        _finish(admin.incremental_alter_configs(corrections))
    return tuple(resource.name for resource in corrections)


def _correction(topic: str, settings: dict[str, str]) -> ConfigResource:
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    return ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)


def _apply_acls(admin: _Admin, outsiders: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    wanted = set(wanted_acls(outsiders))
    present = _present_acls(admin)
    surplus = {acl for acl in present - wanted if _is_ours(acl)}
    _add_acls(admin, wanted - present)
    _remove_acls(admin, surplus)
    return _described(wanted - present), _described(surplus)


def _described(acls: Iterable[Acl]) -> tuple[str, ...]:
    return tuple(sorted(str(acl) for acl in acls))


def _is_ours(acl: Acl) -> bool:
    """Say whether an ACL is one that the table decides on, by its principal or its topic."""
    user = acl.principal.removeprefix("User:")
    own_topic = acl.name in TOPICS or (acl.prefixed and acl.name.startswith("bin."))
    return (
        user in SERVICES or _is_client(user) or (acl.resource is ResourceType.TOPIC and own_topic)
    )


def _present_acls(admin: _Admin) -> set[Acl]:
    everything = _Filter(
        ResourceType.ANY,
        None,
        ResourcePatternType.ANY,
        None,
        None,
        AclOperation.ANY,
        AclPermissionType.ALLOW,
    )
    found: list[Any] = admin.describe_acls(everything).result(_TIMEOUT)
    return {
        Acl(
            binding.principal,
            binding.restype,
            binding.name,
            binding.operation,
            binding.resource_pattern_type is ResourcePatternType.PREFIXED,
        )
        for binding in found
    }


def _add_acls(admin: _Admin, acls: set[Acl]) -> None:
    """Add ACLs and wait until they hold: the controller answers before the broker has them."""
    if not acls:
        return
    _finish(admin.create_acls([AclBinding(*_pattern(acl)) for acl in acls]))
    _wait_until(lambda: acls <= _present_acls(admin), "the new ACLs hold")


def _remove_acls(admin: _Admin, acls: set[Acl]) -> None:
    if not acls:
        return
    _finish(admin.delete_acls([_Filter(*_pattern(acl)) for acl in acls]))
    _wait_until(lambda: not acls & _present_acls(admin), "the removed ACLs are gone")


def _wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while not holds():
        if time.monotonic() > deadline:
            message = f"Kafka accepted a change, but {_TIMEOUT:.0f} s later not yet: {what}"
            raise KafkaUnreachableError(message)
        time.sleep(0.05)


def _pattern(acl: Acl) -> tuple[Any, ...]:
    kind = ResourcePatternType.PREFIXED if acl.prefixed else ResourcePatternType.LITERAL
    return (
        acl.resource,
        acl.name,
        kind,
        acl.principal,
        "*",
        acl.operation,
        AclPermissionType.ALLOW,
    )


def _set_passwords(admin: _Admin, passwords: dict[str, str]) -> None:
    strength = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, _ITERATIONS)
    changes = [
        UserScramCredentialUpsertion(user, strength, password.encode())
        for user, password in passwords.items()
    ]
    _finish(admin.alter_user_scram_credentials(changes))
