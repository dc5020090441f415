"""The two ways in which handling a message can fail, and why.

`Rejected` is bad input: trying again cannot help, the record goes to the DLQ (and the sender gets
a verdict where one waits for it). `Retryable` is everything that may pass: the consumer backs off
and stops rather than skip. Anything else is a fault of ours and ends the process.
"""

_DOUBLINGS = 20
"""Beyond these, 2**failures of a long outage is no float any more."""


class Rejected(Exception):  # noqa: N818 - a verdict on the input, not an error of ours
    """Bad input. `reason` is a code for machines; neither part may hold a value of the input."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        """Name the reason and, where one is to blame, the field."""
        super().__init__(reason if field is None else f"{reason} ({field})")
        self.reason = reason
        self.field = field


class Retryable(Exception):  # noqa: N818 - see above
    """Something outside is not ready: a database, a broker, a copy that is behind."""


class Held(Retryable):
    """Waits on purpose, for what somebody has to do: a new process would wait as well."""


class Disconnected(Retryable):
    """A reader that Kafka no longer answers; only a new one can help."""


class Fenced(Exception):  # noqa: N818
    """Another process took over what this one was working on; its work must not be stored."""


class Stalled(Exception):  # noqa: N818
    """A consumer has lag and makes no progress; only a new process can help."""


def doubled(seconds: float, failures: int, most: float) -> float:
    """Give how long to wait after so many failures in a row: twice as long each time, up to `most`.

    In the unit of `seconds`, which is what is waited where nothing failed.
    """
    return min(seconds * 2 ** min(failures, _DOUBLINGS), most)
