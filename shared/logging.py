"""Logs: one JSON object per event, from an allow-list of fields, with nothing personal in them."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, cast

import orjson
import structlog

ALLOWED = frozenset(
    {
        "attempt",
        "consumer",
        "count",
        "error",
        "event",
        "failures",
        "group",
        "job",
        "lane",
        "level",
        "limit",
        "logger",
        "message_id",
        "network_id",
        "offset",
        "part",
        "partition",
        "port",
        "provider",
        "reason",
        "release",
        "revision",
        "route",
        "seconds",
        "send_id",
        "service",
        "size",
        "state",
        "timestamp",
        "topic",
        "verdict",
        "version",
        "zone_id",
    }
)
"""Every field that a log line may have. A new one is added here on purpose, or it is dropped."""

_LIBRARIES = ("aiokafka", "pymongo", "twilio", "httpx", "aiosmtplib", "uvicorn.access", "mail.log")
"""These log hosts, URLs or query parameters with numbers in them: warnings only, without texts."""


_FRAMES = 20
"""The innermost frames of an exception that a log line has."""


def only_allowed(
    _logger: object, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list (a structlog processor)."""
    for name in [name for name in entry if name not in ALLOWED]:
        del entry[name]
    return entry


def configure(service: str, level: str) -> None:
    """Set up logging for a process: JSON on stdout, coloured text on a terminal."""
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stdout.isatty()
        else structlog.processors.JSONRenderer(serializer=_dumps)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(WithoutTexts(service))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


class WithoutTexts(logging.Formatter):
    """Libraries' log records as JSON: who says so and how bad it is, and no text of theirs.

    Of an exception the type and the places it came through, and those of its causes: its text may
    quote a number, an address or the input.
    """

    def __init__(self, service: str) -> None:
        """Bind to a service's name."""
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line."""
        entry: dict[str, object] = {
            "service": self._service,
            "level": record.levelname,
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[1] is not None:
            entry["errors"] = [_told(error) for error in _with_causes(record.exc_info[1])]
        return _dumps(entry)


def fault(error: BaseException) -> str:
    """Tell what ended a process, as `WithoutTexts` tells it."""
    errors = [_told(one) for one in _with_causes(error)]
    return _dumps({"level": "critical", "event": "ended by a fault", "errors": errors})


def _with_causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if current in found:
            continue
        found.append(current)
        if isinstance(current, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", current).exceptions
        hidden = None if current.__suppress_context__ else current.__context__
        if (cause := current.__cause__ or hidden) is not None:
            waiting.append(cause)
    return found


def _told(error: BaseException) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__, limit=-_FRAMES)
    return {
        "error": type(error).__name__,
        "frames": [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames],
    }


def _dumps(value: object, **_options: object) -> str:
    return orjson.dumps(value, default=str).decode()
