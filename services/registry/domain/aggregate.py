"""What the registry's aggregates share: frozen values with a version that counts changes."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen part of an aggregate."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Aggregate(Value):
    """A whole that changes in one transaction. Version 1 is its creation."""

    version: int = 1

    def changed(self, **values: Any) -> Self:
        """Give the next version, with these fields replaced."""
        return self.model_copy(update={**values, "version": self.version + 1})
