"""Generate the AsyncAPI and OpenAPI documents and the table of states in docs/ from the code.

`python -m docs.generate` writes them, `--check` fails where the files differ from the code.
"""

import argparse
import importlib.metadata
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

import services.audit.app
import services.dispatcher.app
import services.registry.app
from services.dispatcher.domain.states import FINAL, MEANINGS, TRANSITIONS
from shared.contracts import EVENTS, Event
from shared.contracts.base import SILENT_STATES, SendState
from shared.contracts.police import APPROVAL_HEADER, SIGNATURE_HEADER, PoliceEvent
from shared.envelope import CE_TRACEPARENT
from shared.topics import SERVICES, SOURCE_TOPICS, Party, Topic, dlq_topics

DOCS = Path(__file__).parent
_REF = "#/components/schemas/{model}"
_DESCRIPTIONS = {
    Party.REGISTRY: "Owns zones, networks and members, and relays cold bulletins.",
    Party.DISPATCHER: "Judges alerts, plans sends and sends them by SMS and e-mail.",
    Party.AUDIT: "Keeps a tamper-evident account of every send.",
}
OPENAPI: dict[Party, Callable[[], FastAPI]] = {
    Party.REGISTRY: services.registry.app.api,
    Party.DISPATCHER: services.dispatcher.app.api,
    Party.AUDIT: services.audit.app.api,
}


def events_on(topic: Topic) -> list[type[Event]]:
    """List the event types of a topic; every dead-letter topic carries the same one."""
    if topic in dlq_topics():
        return [event for event in EVENTS if "TOPIC" not in vars(event)]
    return [event for event in EVENTS if vars(event).get("TOPIC") is topic]


def asyncapi(service: Party) -> dict[str, Any]:
    """Describe what one service reads and writes (AsyncAPI 3.0)."""
    topics = [t for t in (*SOURCE_TOPICS, *dlq_topics()) if service in (*t.writers, *t.readers)]
    events = {event.__name__: event for topic in topics for event in events_on(topic)}
    _, schemas = models_json_schema(
        [(event, "serialization") for event in events.values()], ref_template=_REF
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Buurtbode {service}",
            "version": importlib.metadata.version("buurtbode"),
            "description": _DESCRIPTIONS[service],
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": dict(_operation(service, topic) for topic in topics),
        "components": {
            "messages": {name: _message(event) for name, event in events.items()},
            "schemas": schemas["$defs"],
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}. Personal data: {topic.personal_data}.",
        "messages": {
            event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}
            for event in events_on(topic)
        },
        "bindings": {"kafka": {"topic": topic.name, "partitions": topic.partitions}},
    }


def _operation(service: Party, topic: Topic) -> tuple[str, dict[str, Any]]:
    """Give one operation; a service that reads back what it writes is described as its writer."""
    action = "send" if service in topic.writers else "receive"
    operation: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name.replace('/', '~1')}"},
    }
    return f"{action} {topic.name}", operation


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.TYPE,
        "summary": (event.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": _headers(event),
        "payload": {"$ref": _REF.format(model=event.__name__)},
    }


def _headers(event: type[Event]) -> dict[str, Any]:
    text = {"type": "string"}
    properties: dict[str, Any] = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": text,
        "ce_type": {"const": event.TYPE},
        "ce_source": text,
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"const": "application/json"},
    }
    required = list(properties)
    if event.message is not Event.message:
        properties[CE_TRACEPARENT] = {
            "type": "string",
            "description": "W3C Trace Context; the trace id is the message's id.",
        }
    if issubclass(event, PoliceEvent):
        detached = {"type": "string", "description": "A detached JWS (RFC 7515, appendix F)."}
        properties |= {SIGNATURE_HEADER: detached, APPROVAL_HEADER: detached}
        required.append(SIGNATURE_HEADER)
    return {"type": "object", "required": required, "properties": properties}


def documents() -> Mapping[Path, str]:
    """Give every generated file's text."""
    found: dict[Path, str] = {}
    for service in SERVICES:
        found[DOCS / "asyncapi" / f"{service}.yaml"] = _yaml(asyncapi(service))
        found[DOCS / "openapi" / f"{service}.yaml"] = _yaml(OPENAPI[service]().openapi())
    found[DOCS / "states.md"] = states()
    return found


def states() -> str:
    """Draw the transition table of a send: each row a cause, a state before and those after it."""
    rows = [
        (cause, before, after)
        for cause, changes in TRANSITIONS.items()
        for before, afters in changes.items()
        for after in sorted(afters)
    ]
    arrows: dict[tuple[SendState, SendState], list[str]] = {}
    for cause, before, after in rows:
        arrows.setdefault((before, after), []).append(str(cause))
    drawn = [
        f"    {before} --> {after}: {', '.join(why)}" for (before, after), why in arrows.items()
    ]
    ends = [f"    {state} --> [*]" for state in sorted(FINAL)]
    table = [f"| `{cause}` | {MEANINGS[cause]} | {a} | {b} |" for cause, a, b in rows]
    silent = ", ".join(sorted(SILENT_STATES))
    return "\n".join(
        [
            "# The states of a send",
            "",
            "Written by `make specs` from `services/dispatcher/domain/states.py`; a change that is",
            "not in this table cannot happen, since each write to the ledger names the state that",
            f"its cause may start from. Changes into {silent} are no events of their own.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> planned",
            *drawn,
            *ends,
            "```",
            "",
            "| cause | what happened | from | to |",
            "|---|---|---|---|",
            *table,
            "",
        ]
    )


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def main() -> int:
    """Write the documents, or compare them; give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and fail on a difference")
    check = parser.parse_args().check
    stale: list[Path] = []
    for path, text in documents().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in stale:
        verb = "differs from the code: run `make specs`" if check else "written"
        sys.stdout.write(f"{path.relative_to(DOCS.parent)} {verb}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
