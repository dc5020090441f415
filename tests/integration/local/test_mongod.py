"""The local MongoDB: users see their own database only, and SIGKILL loses nothing."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.local.child import ChildDiedError
from deploy.local.mongod import Mongod
from deploy.local.ports import free_port
from shared.settings import MongoSettings
from tests.support.servers import local_mongod

_Client = MongoClient[dict[str, Any]]


@pytest.fixture
def server(tmp_path: Path) -> Generator[Mongod]:
    """Give a server of the test's own, which it may kill."""
    mongod = local_mongod(tmp_path, {"registry": "registry/password", "audit": "b"})
    mongod.start()
    yield mongod
    mongod.stop()


def test_a_service_sees_its_own_database_only(server: Mongod) -> None:
    """Each service's user reads and writes its own database and is refused elsewhere."""
    with _Client(server.service_url("registry")) as client:
        client["registry"]["things"].insert_one({"_id": 1})
        assert client["registry"]["things"].count_documents({}) == 1
        with pytest.raises(OperationFailure, match="not authorized"):
            client["audit"]["things"].insert_one({"_id": 1})
        with pytest.raises(OperationFailure, match="not authorized"):
            client["audit"]["things"].find_one()


def test_nobody_enters_without_a_password(server: Mongod) -> None:
    """A client that does not log in can neither read nor list."""
    anonymous = server.admin_url.split("@")[1]
    with _Client(f"mongodb://{anonymous}".replace("&authSource=admin", "")) as client:
        with pytest.raises(OperationFailure, match="requires authentication"):
            client["registry"]["things"].find_one()
        with pytest.raises(OperationFailure, match="requires authentication"):
            client.list_database_names()


def test_sigkill_loses_nothing_and_the_server_comes_back_on_its_port(server: Mongod) -> None:
    """What was acknowledged before SIGKILL is there after the restart, at the same address."""
    url = server.service_url("registry")
    with _Client(url) as client:
        for number in range(200):
            client["registry"]["things"].insert_one({"_id": number})
    server.kill()
    assert not server.running
    server.start()
    assert server.service_url("registry") == url
    with _Client(url) as client:
        found = [thing["_id"] for thing in client["registry"]["things"].find().sort("_id")]
    assert found == list(range(200))


def test_the_server_survives_a_changed_port(server: Mongod, tmp_path: Path) -> None:
    """A node that moved to another port leads its set again, with its data."""
    with _Client(server.admin_url) as client:
        client["registry"]["things"].insert_one({"_id": 1})
    server.stop()
    moved = Mongod(tmp_path / "mongod", free_port(), server.passwords)
    moved.start()
    try:
        with _Client(moved.admin_url) as client:
            assert client["registry"]["things"].find_one({}) == {"_id": 1}
    finally:
        moved.stop()


@pytest.mark.parametrize(
    ("library", "package"),
    [("libcurl.so.4", "install libcurl4"), ("libother.so.1", "the package that holds libother")],
)
def test_a_library_that_the_system_lacks_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, package: str
) -> None:
    """The program then says so in its log only, as glibc's loader does, and ends with 127."""
    program = tmp_path / "mongod"
    opened = "cannot open shared object file: No such file or directory"
    program.write_text(
        "#!/bin/sh\n"
        f'echo "$0: error while loading shared libraries: {library}: {opened}" >&2\nexit 127\n'
    )
    program.chmod(0o700)
    monkeypatch.setattr("deploy.local.mongod.mongod_path", lambda: str(program))
    mongod = local_mongod(tmp_path / "data")
    with pytest.raises(ChildDiedError, match=f"status 127 .*it needs {library}.*{package}"):
        mongod.start()


class TestFreshDatabases:
    """The fixture that gives each test a database of its own."""

    @pytest.mark.parametrize("_time", [1, 2])
    def test_each_test_finds_an_empty_database(
        self, mongo_database: MongoSettings, _time: int
    ) -> None:
        """What one test wrote is not there for the next."""
        with _Client(mongo_database.url.get_secret_value()) as client:
            things = client[mongo_database.database]["things"]
            assert things.count_documents({}) == 0
            things.insert_one({"_id": 1})
