"""The command line, run as its own process against a service that a test runs."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from cli.connection import SERVICES
from services.audit.app import App
from shared.access import Role
from shared.service import http_server
from shared.settings import KafkaSettings
from tests.integration.audit.world import World


@asynccontextmanager
async def served(
    app: App, around: Callable[[ASGIApp], ASGIApp] | None = None
) -> AsyncGenerator[str]:
    """Serve a process of the service on a port; `around` it stands what a test puts there."""
    server = http_server(app.http, "127.0.0.1", 0)
    if around is not None:
        server.config.app = around(app.http)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


async def command(
    world: World,
    url: str,
    *arguments: str,
    zone: str = "demo",
    kafka: KafkaSettings | None = None,
    token: str | None = None,
) -> tuple[int, str]:
    """Run a command as an auditor of the zone, or with a token; give its code and its words."""
    env = {
        **os.environ,
        **{f"BUURTBODE_{service.upper()}": url for service in SERVICES},
        "BUURTBODE_TOKEN": token or world.token(Role.AUDITOR, zone=zone),
    }
    if kafka is not None:
        env["BUURTBODE_KAFKA"] = kafka.bootstrap
        env["BUURTBODE_KAFKA_PASSWORD"] = kafka.password.get_secret_value()
        env["BUURTBODE_KAFKA_PROTOCOL"] = kafka.protocol
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli.main",
        *arguments,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()
