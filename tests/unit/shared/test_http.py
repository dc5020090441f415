"""What every service's HTTP side does, whatever its routes."""

from collections.abc import AsyncGenerator, Mapping

import httpx
import pytest
from fastapi import APIRouter, Request
from pydantic import BaseModel

from shared.http import MOST_BYTES, application, install, sentence

_CHUNK = 100_000


class Small(BaseModel):
    """A body that is read before the route is asked."""

    text: str


def _routes() -> APIRouter:
    router = APIRouter()

    @router.post("/small")
    async def small(body: Small) -> int:  # pyright: ignore[reportUnusedFunction]
        return len(body.text)

    @router.post("/file", max_body_size=4 * MOST_BYTES)
    async def file(request: Request) -> int:  # pyright: ignore[reportUnusedFunction]
        return sum([len(chunk) async for chunk in request.stream()])

    return router


@pytest.mark.parametrize(("path", "most"), [("/small", 1), ("/file", 4)])
async def test_no_more_of_a_request_is_read_than_its_route_takes(path: str, most: int) -> None:
    """Whoever sends it: without a bound, anybody could fill the memory of a service."""
    app, read = application("test", "A test.", _routes().routes), 0
    install(app, _ready)

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal read
        while read < 10 * MOST_BYTES:
            read += _CHUNK
            yield b"x" * _CHUNK

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        answer = await http.post(path, content=endless())
    assert (answer.status_code, answer.json()["status"]) == (413, 413)
    assert answer.headers["content-type"] == "application/problem+json"
    assert read <= most * MOST_BYTES + 2 * _CHUNK


async def _ready() -> Mapping[str, str]:
    return {}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("set BUURTBODE_SIGNING_KEY first", "Set BUURTBODE_SIGNING_KEY first."),
        ("Kafka keeps it no longer", "Kafka keeps it no longer."),
        (ValueError("a topic of Kafka's"), "A topic of Kafka's."),
        ("", "."),
    ],
)
def test_a_refusal_keeps_the_names_that_it_tells(reason: object, said: str) -> None:
    assert sentence(reason) == said
