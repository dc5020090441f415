"""The registry: networks, people, rules, relay and rights. The only place that wires."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import httpx
from fastapi import APIRouter, Depends, FastAPI
from pymongo.errors import PyMongoError
from starlette.routing import BaseRoute

from services.registry.api import (
    bulletins,
    coordinators,
    documents,
    evaluation,
    figures,
    measures,
    meetings,
    member_lists,
    members,
    networks,
    operations,
    privacy,
    public,
    rights,
    steering,
    zones,
)
from services.registry.api.evaluation_words import EvaluationPages
from services.registry.api.pages import Pages
from services.registry.api.problems import install_failures
from services.registry.consumers import (
    COMPARED,
    COMPARING,
    ERASED,
    SERVICE,
    build_consumers,
)
from services.registry.flows.context import Context
from services.registry.flows.hold_back import BEHIND, Gate, HeldPublisher
from services.registry.jobs import build_jobs
from services.registry.settings import RegistrySettings
from shared import dead_letter_routes
from shared.access import Authenticator
from shared.clock import Clock
from shared.consume import Consumer
from shared.dead_letters import LetterDesk
from shared.failures import Retryable
from shared.http import PROBLEM_RESPONSES, Ready, application, install, trusted
from shared.kafka import KafkaLog, Log
from shared.logging import configure
from shared.mongo import Client, Database, connect
from shared.mongo import database as open_database
from shared.outbox import Outbox
from shared.pseudonyms import KeyRing
from shared.service import instance_name, run, serve
from shared.settings import read_settings
from shared.tasks import Task
from shared.topics import PROPOSALS

_ROUTERS = (
    zones.router,
    zones.one,
    networks.router,
    networks.one,
    documents.router,
    coordinators.router,
    steering.router,
    member_lists.router,  # before `members/{member_id}`, which would take its paths
    members.router,
    measures.router,
    rights.router,
    privacy.router,
    bulletins.router,
    meetings.router,
    figures.router,
    evaluation.router,
    operations.router,
    public.router,
)


@dataclass(frozen=True, slots=True)
class App:
    """The wired service: its HTTP application and everything that runs beside it."""

    http: FastAPI
    tasks: list[Task]
    context: Context


@cache
def _routes() -> list[BaseRoute]:
    """Give the routes, the same for all applications: analysing them anew takes 0.2 s for each."""
    every = APIRouter(responses=PROBLEM_RESPONSES)
    for router in _ROUTERS:
        every.include_router(
            router, prefix="/v1", dependencies=[Depends(operations.changes_are_open)]
        )
    # an operator lets records go also where they keep the gate shut
    every.include_router(dead_letter_routes.router, prefix="/v1")
    return every.routes


def api() -> FastAPI:
    """Make the application with its routes and nothing wired; the OpenAPI document is its."""
    app = application("registry", "Networks, people, rules, relay and rights.", _routes())
    install_failures(app)
    app.state.pages = Pages()
    app.state.evaluation_pages = EvaluationPages()
    return app


async def build(settings: RegistrySettings, log: Log, client: Client, clock: Clock) -> App:
    """Wire the service and create its indexes; the caller serves `http` and runs `tasks`."""
    database = open_database(client, settings.mongo.database)
    outbox = Outbox(database, f"buurtbode/{SERVICE}", clock)
    keys = KeyRing(settings.pseudonym_keys)
    context = Context.of(
        client,
        database,
        outbox,
        keys,
        clock,
        policy=settings.policy(),
        retention=settings.retention,
    )
    await context.prepare()
    gate = Gate(database, log, context.ahead, COMPARED)
    consumers = build_consumers(context, log, client, database, gate)
    publisher = HeldPublisher(gate, outbox, log, database, instance_name(settings.http))
    tokens = httpx.AsyncClient(verify=trusted())

    app = api()
    app.state.context = context
    app.state.gate = gate
    app.state.dead_letters = LetterDesk(
        service="registry",
        database=database,
        client=client,
        outbox=outbox,
        log=log,
        clock=clock,
        consumers=consumers,
    )
    app.state.authenticator = Authenticator(settings.oidc, clock, tokens)
    install(app, _ready(database, log, consumers, gate))

    async def keep_connections() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await tokens.aclose()

    tasks: list[Task] = [publisher.run, keep_connections]
    for consumer in consumers:
        tells = consumer.group in (COMPARING, ERASED)  # whether the gate may open
        tasks += [consumer.run if tells else gate.after(consumer.run), consumer.watch]
    tasks += [gate.after(job.run) for job in build_jobs(context, gate)]
    return App(app, tasks, context)


def _ready(database: Database, log: Log, consumers: list[Consumer], gate: Gate) -> Ready:
    async def ready() -> Mapping[str, str]:
        waiting: dict[str, str] = {}
        try:
            await database.command("ping")
            if await gate.behind():
                waiting["backup"] = BEHIND
            if not await gate.caught_up():
                waiting["own topics"] = "reading what was published; nothing changes before"
            await log.end_offsets([PROPOSALS.name])
        except PyMongoError:
            waiting["mongo"] = "the database does not answer"
        except Retryable as error:
            waiting["kafka"] = str(error)
        for consumer in consumers:
            if (why := consumer.health.why) is not None:
                waiting[consumer.group] = why
        return waiting

    return ready


async def main() -> None:
    """Run the service until it is told to stop."""
    settings = read_settings(RegistrySettings)
    configure(SERVICE, settings.log_level)
    async with (
        connect(settings.mongo, SERVICE) as client,
        KafkaLog(settings.kafka, SERVICE) as log,
    ):
        app = await build(settings, log, client, Clock())
        await serve(app.http, settings.http, app.tasks)


if __name__ == "__main__":
    run(main)
