"""Logs: one JSON object per event, from an allow-list of fields, with nothing personal in them."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

ALLOWED = frozenset(
    {
        "attempt",
        "consumer",
        "correlation_id",
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
    logging.basicConfig(
        level=logging.WARNING,
        format=f'{{"service":"{service}","level":"%(levelname)s","logger":"%(name)s"}}',
        stream=sys.stdout,
        force=True,
    )
    logging.captureWarnings(capture=True)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def _dumps(value: object, **_options: object) -> str:
    return orjson.dumps(value, default=str).decode()
