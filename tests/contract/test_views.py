"""The models of all interfaces, as `/docs` explains them."""

from collections.abc import Iterator

from pydantic import BaseModel

import services.audit.app
import services.dispatcher.app
import services.registry.app
from shared.http import View

APPLICATIONS = (services.audit.app, services.dispatcher.app, services.registry.app)
"""Importing them makes every model."""


def _below(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def test_no_view_is_generic_since_mentioning_one_could_end_the_import() -> None:
    views = [*_below(View)]
    assert {view.__module__.split(".")[1] for view in views} >= {"audit", "dispatcher", "registry"}
    generic = [view for view in views if view.__pydantic_generic_metadata__["origin"] is not None]
    assert not generic
    assert not [view for view in views if view.__pydantic_generic_metadata__["parameters"]]
