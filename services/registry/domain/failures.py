"""How a rule says no: what is wrong, in which field, and what to do next; never a value."""

from collections.abc import Mapping


class Refused(Exception):  # noqa: N818 - a rule's answer, not an error of ours
    """A rule refuses what was asked. `kind` is a code; `detail` says what is wrong and what to do.

    No part may hold a value of the input: it may be a name or a number.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        field: str | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail
        self.field = field
        self.extra = dict(extra or {})


class Invalid(Refused):
    """The input itself cannot be right."""


class Conflict(Refused):
    """The input could be right, but not as things stand."""


class NotThere(Exception):  # noqa: N818
    """There is no such thing, or not for this caller: the two look the same."""


class Stale(Exception):  # noqa: N818
    """The caller edits a version that is no longer the current one."""
