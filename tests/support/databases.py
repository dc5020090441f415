"""One database for the tests of a folder, emptied before each of them.

They are one service's, so that its collections and indexes can stay: to make them anew, and to drop
them, took as long as many a test.
"""

import uuid

from pydantic import SecretStr
from pymongo import MongoClient

from shared.mongo import Document
from shared.settings import MongoSettings


class Databases:
    """The databases of one process' tests, on the run's server."""

    def __init__(self, admin_url: str) -> None:
        """Connect as the server's superuser."""
        self._url = admin_url
        self._client = MongoClient[Document](admin_url)
        self._names: dict[str, str] = {}

    def empty(self, folder: str) -> MongoSettings:
        """Give a folder's database without a row in it, as the settings that a service takes."""
        name = self._names.setdefault(folder, f"{folder}_{uuid.uuid4().hex[:12]}")
        database = self._client[name]
        for collection in database.list_collection_names():
            if collection.startswith("system."):  # a profile, whose rows nobody may delete
                database.drop_collection(collection)
            else:
                database[collection].delete_many({})
        return MongoSettings(url=SecretStr(self._url), database=name)

    def drop(self) -> None:
        """Leave nothing behind."""
        for name in self._names.values():
            self._client.drop_database(name)
        self._client.close()
