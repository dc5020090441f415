"""`buurtbode status` and `republish`: looking after the running services."""

from typing import Annotated, Any

import httpx
import typer

from cli.api import Api
from cli.connection import SERVICES, Service, StackOption, connect
from cli.console import say, table
from cli.failures import FAILED
from shared.topics import MEMBERS, NETWORKS, ZONES

_OK = 200
REPUBLISHED = (ZONES.name, NETWORKS.name, MEMBERS.name)


def status(*, stack: StackOption = None) -> None:
    """Tell whether the three services are ready, and what each one waits for if it is not."""
    connection = connect(stack)
    rows = [(service, *_readiness(connection.url(service))) for service in SERVICES]
    table(None, ("service", "ready", "waits for"), rows)
    if any(ready != "yes" for _, ready, _ in rows):
        raise typer.Exit(FAILED)


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
