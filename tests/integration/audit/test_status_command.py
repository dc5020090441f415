"""`buurtbode status` says how the logs are, or why it cannot, and ends accordingly."""

from datetime import timedelta

from services.audit.store.checks import Checked, Checks
from shared.access import Role
from shared.clock import utc_now
from tests.integration.audit.commands import command, served
from tests.integration.audit.world import World, send, until

DAY = timedelta(days=1)


async def test_a_log_with_a_check_that_does_not_end_is_marked_and_fails_the_status(
    world: World,
) -> None:
    checks, now = Checks(world.database), utc_now()
    operator = world.token(Role.OPERATOR)
    async with world.running() as app, served(app) as url:
        await world.publish(send(1))
        await world.signed(1)

        async def ready() -> bool:
            return await app.ready() == {}

        await until(ready, "the service to be ready")
        await checks.end("demo", "log", Checked(now, 1, None))
        await checks.end("demo", "lists", Checked(now - DAY, 1, None))
        code, said = await command(world, url, "status", token=operator)
        assert (code, row_of(said, "demo")[-1]) == (0, "yes"), said
        late = now - 3 * DAY
        await checks.end("demo", "lists", Checked(late, 1, None))
        code, said = await command(world, url, "status", token=operator)
        since = f"overdue since {late:%Y-%m-%d %H:%M} UTC"
        assert (code, row_of(said, "demo")[-1]) == (1, since), said
        await world.database["checks"].update_one(
            {"_id": "demo|lists"}, {"$unset": {"at": 1}, "$set": {"since": late}}
        )
        code, said = await command(world, url, "status", token=operator)
        assert (code, row_of(said, "demo")[-1]) == (1, "overdue: one has never ended"), said


async def test_logs_that_cannot_be_seen_fail_the_status_and_it_says_why(world: World) -> None:
    refused = {
        world.token(Role.OPERATOR, life=-DAY): "expired",
        "none": "not valid here",
        world.token(Role.AUDITOR): "nothing here that you may see",
    }
    async with world.running() as app, served(app) as url:
        for token, why in refused.items():
            code, said = await command(world, url, "status", token=token)
            assert (code, "The audit logs cannot be shown" in said) == (1, True), said
            assert why in said


def row_of(said: str, log: str) -> list[str]:
    return next(line for line in said.splitlines() if line.startswith(f"{log}\t")).split("\t")
