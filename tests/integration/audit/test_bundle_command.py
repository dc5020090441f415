"""`buurtbode bundle`: a log is downloaded whole, whatever cut the download off before."""

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.access import Role
from tests.integration.audit.commands import command, served
from tests.integration.audit.world import World, send

COUNT = 30


def cut_off(most: int) -> Callable[[ASGIApp], ASGIApp]:
    """Break the connection of each answer that is longer than so many bytes, in its middle."""

    def around(app: ASGIApp) -> ASGIApp:
        async def cutting(scope: Scope, receive: Receive, sending: Send) -> None:
            left = most

            async def some(message: Message) -> None:
                nonlocal left
                body = message.get("body", b"")
                if len(body) > left:
                    await sending({**message, "body": body[:left], "more_body": True})
                    raise ConnectionError
                left -= len(body)
                await sending(message)

            await app(scope, receive, some)

        return cutting

    return around


async def test_a_download_goes_on_wherever_it_was_cut_off(world: World, tmp_path: Path) -> None:
    """Up to the checkpoint that it was begun with, though the log has grown meanwhile."""
    out, key = tmp_path / "bundle.ndjson", tmp_path / "log.pem"
    key.write_text(world.public_pem)
    fetch = ("bundle", "--zone", "demo", "--out", str(out))
    async with world.running() as app, served(app) as url:
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        code, said = await command(world, url, *fetch)
        assert code == 0, said
        assert out.stat().st_mode & 0o077 == 0
        assert "buurtbode verify" in said
        whole = out.read_bytes()
        size = whole.count(b"\n") - 1
        assert f"all {size} entries of buurtbode/demo" in said
        await world.publish(*[send(number) for number in range(COUNT, 2 * COUNT)])
        await world.signed(2 * COUNT)
        ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
        for cut in (ends[0], ends[0] + 1, ends[7] - 1, ends[7], ends[8] + 40, len(whole) - 1):
            out.write_bytes(whole[:cut])
            code, said = await command(world, url, *fetch)
            assert code == 0, said
            assert out.read_bytes() == whole, f"cut at {cut}"
        code, said = await command(world, url, *fetch)
        assert (code, "whole already" in said, out.read_bytes()) == (0, True, whole), said
        code, said = await command(world, url, "verify", str(out), "--key", str(key))
        assert (code, said.splitlines()[0]) == (0, "VERIFIED."), said
        for cut in (0, 5, ends[0] - 1):  # without its whole first line it is begun anew
            out.write_bytes(whole[:cut])
            code, said = await command(world, url, *fetch)
            assert code == 0, said
            assert out.read_bytes().count(b"\n") > 2 * COUNT


async def test_a_connection_that_breaks_is_said_with_how_far_it_came(
    world: World, tmp_path: Path
) -> None:
    out = tmp_path / "bundle.ndjson"
    fetch = ("bundle", "--zone", "demo", "--out", str(out))
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        async with served(app, cut_off(6_000)) as url:
            code, said = await command(world, url, *fetch)
        there = out.read_bytes().count(b"\n") - 1
        assert 0 < there < COUNT
        assert (code, f"{there} of " in said, "the same command goes on" in said) == (
            1,
            True,
            True,
        ), said
        async with served(app) as url:
            code, said = await command(world, url, *fetch)
            assert code == 0, said
            assert out.read_bytes().count(b"\n") - 1 >= COUNT


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"my notes", "it is no bundle"),
        (b"my notes\nof two lines\n", "is not JSON"),
        (None, "it is of buurtbode/demo"),
    ],
)
async def test_a_file_that_is_something_else_is_left_as_it_is(
    world: World, tmp_path: Path, content: bytes | None, why: str
) -> None:
    out = tmp_path / "bundle.ndjson"
    async with world.running() as app, served(app) as url:
        await world.publish(send(1))
        await world.signed(1)
        if content is None:
            async with world.http(app, Role.AUDITOR) as http:
                content = (await http.get("/v1/zones/demo/bundle")).content
        out.write_bytes(content)
        fetch = ("bundle", "--zone", "other", "--out", str(out))
        code, said = await command(world, url, *fetch, zone="other")
    assert (code, why in said, out.read_bytes()) == (2, True, content), said


async def test_a_log_that_one_may_not_see_is_refused_in_a_sentence(
    world: World, tmp_path: Path
) -> None:
    async with world.running() as app, served(app) as url:
        fetch = ("bundle", "--zone", "other", "--out", str(tmp_path / "bundle.ndjson"))
        code, said = await command(world, url, *fetch)
    assert (code, "nothing here that you may see" in said) == (1, True), said
