"""`buurtbode status` and `republish`: looking after the running services."""

from collections.abc import Sequence
from typing import Annotated, Any

import httpx
import typer

from cli.api import Api, Json
from cli.connection import SERVICES, Connection, Service, StackOption, connect
from cli.console import complain, say, table
from cli.failures import FAILED, CommandError
from shared.topics import ERASURES, MEMBERS, NETWORKS, ZONES

_OK = 200
_LOGS = ("audit log", "entries", "signed", "whole log checked", "lists checked", "checks in time")
LAG_METRIC = "buurtbode_lag"
REPUBLISHED = (ZONES.name, NETWORKS.name, MEMBERS.name, ERASURES.name)


def status(*, stack: StackOption = None) -> None:
    """Tell whether the services are ready, how far behind they are, and how the audit logs are.

    A log that is not whole makes the audit service not ready; the last checks show when it was
    looked at. Ends with 1 where a service is not ready, a check is overdue, or the logs cannot be
    seen.
    """
    connection = connect(stack)
    rows = [
        (service, *_readiness(connection.url(service)), _behind(connection.url(service)))
        for service in SERVICES
    ]
    shown = [(service, ready, behind, why) for service, ready, why, behind in rows]
    table(None, ("service", "ready", "behind", "waits for"), shown)
    fine = _show_logs(connection)
    if not fine or any(ready != "yes" for _, ready, _, _ in rows):
        raise typer.Exit(FAILED)


def _show_logs(connection: Connection) -> bool:
    """Show what the audit service says of its logs; False where it does not, or one is overdue."""
    service: Service = "audit"
    try:
        with Api(service, connection.url(service), connection.token("operator")) as audit:
            logs: list[Json] = audit.get("/v1/logs")["items"]
    except CommandError as error:
        complain(f"The audit logs cannot be shown: {error}")
        return False
    if logs:
        say()
        table(None, _LOGS, map(_log, logs))
    return not any(_is_overdue(log) for log in logs)


def _log(log: Json) -> Sequence[object]:
    whole, lists = log["whole"], log["lists"]
    in_time = _overdue(whole, lists) if _is_overdue(log) else "yes"
    return log["zone_id"], log["entries"], log["signed"], _check(whole), _check(lists), in_time


def _is_overdue(log: Json) -> bool:
    return bool(log.get("overdue"))  # a service of before says nothing of it


def _overdue(*checks: Json | None) -> str:
    ended = [_minute(checked) for checked in checks if checked is not None]
    if len(ended) < len(checks):
        return "overdue: one has never ended"
    return f"overdue since {min(ended)}"


def _check(checked: Json | None) -> str:
    if checked is None:
        return "not yet"
    found = checked["doubt"]
    return f"{_minute(checked)}, {checked['size']} entries: {found or 'whole'}"


def _minute(checked: Json) -> str:
    return str(checked["at"])[:16].replace("T", " ") + " UTC"


def _readiness(url: str) -> tuple[str, str]:
    try:
        answer = httpx.get(f"{url}/readyz", timeout=5)
    except httpx.HTTPError as error:
        return "no", f"{url} does not answer ({type(error).__name__})"
    if answer.status_code == _OK:
        return "yes", ""
    return "no", _waiting(answer)


def _waiting(answer: httpx.Response) -> str:
    try:
        found: dict[str, Any] = answer.json().get("waiting_for", {})
    except ValueError:
        return f"answers {answer.status_code}"
    return "; ".join(f"{part}: {why}" for part, why in found.items())


def _behind(url: str) -> str:
    """Sum a service's lag over its consumers; empty where it does not tell."""
    try:
        lines = httpx.get(f"{url}/metrics", timeout=5).text.splitlines()
    except httpx.HTTPError:
        return ""
    found = [line.rpartition(" ")[2] for line in lines if line.startswith(f"{LAG_METRIC}{{")]
    return str(int(sum(float(value) for value in found))) if found else ""


def republish(
    topic: Annotated[str, typer.Argument(help="One of " + ", ".join(REPUBLISHED) + ".")],
    *,
    stack: StackOption = None,
) -> None:
    """Have the registry send everything of a topic again, where the cluster lost it.

    Safe at any time: the other services take a record only where it is newer than theirs.
    """
    connection = connect(stack)
    service: Service = "registry"
    count, cursor = 0, None
    with Api(service, connection.url(service), connection.token("operator")) as registry:
        while True:
            page = registry.post("/v1/republish", topic=topic, cursor=cursor)
            count, cursor = count + int(page["count"]), page["next"]
            if cursor is None:
                break
    say(f"Sent again: {count} records of {topic}.")
