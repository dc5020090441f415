"""How quickly a coordinator sees the member list: listed, searched and paged, over HTTP.

A network of 350 members in a zone of 100,000. Each look is also recorded, in the same transaction,
so the peer is the same query without a service: the database's own driver, one find by the same
index. The first and the last page are measured in turns.
"""

import statistics
from collections.abc import Awaitable, Callable
from time import perf_counter

from benchmarks.registry_rig import NETWORK, fill, registry, run
from tests.integration.registry.harness import As, Registry

TITLE = "Registry: listing, searching and paging members"
PEOPLE, ROUNDS, PER_ROUND, PAGE, TARGET_MS = 100_000, 5, 60, 50, 50
_AT = 142
"""The network that is looked at, in the middle of the zone."""


def measure() -> list[str]:
    """Take all kinds of look in turns."""
    return run(_measure())


async def _measure() -> list[str]:
    async with registry(-(-PEOPLE // NETWORK)) as made:
        await fill(made, PEOPLE, per_network=NETWORK)
        looks = await _looks(made)
        took: dict[str, list[list[float]]] = {name: [] for name in looks}
        for name in looks:
            await looks[name]()
        for _ in range(ROUNDS):
            for name, look in looks.items():
                took[name].append([])
                for _ in range(PER_ROUND):
                    begun = perf_counter()
                    await look()
                    took[name][-1].append(1000 * (perf_counter() - begun))
            await made.publish()
            made.cluster.records.clear()
    return [
        (
            f"A network of {NETWORK} members in a zone of {PEOPLE:,}; {ROUNDS} rounds in turns of "
            f"{PER_ROUND} requests each, pages of {PAGE}. Milliseconds; the p95 is each round's, "
            "and its median over the rounds counts."
        ),
        "",
        f"| look | median | p95 (target below {TARGET_MS}) | p95, lowest and highest round |",
        "|---|---|---|---|",
        *(_row(name, rounds) for name, rounds in took.items()),
    ]


def _row(name: str, rounds: list[list[float]]) -> str:
    middle = statistics.median([value for values in rounds for value in values])
    worst = [statistics.quantiles(values, n=20)[-1] for values in rounds]
    return (
        f"| {name} | {middle:.1f} | {statistics.median(worst):.1f} | "
        f"{min(worst):.1f} to {max(worst):.1f} |"
    )


async def _looks(made: Registry) -> dict[str, Callable[[], Awaitable[object]]]:
    who = made.coordinator(f"coordinator-{_AT}")
    path = f"/networks/bin-{_AT}/members"
    last = await _last_cursor(who, path)
    rows = made.database["members"]
    first_page = {"limit": str(PAGE)}

    async def driver() -> object:
        found = rows.find({"network_id": f"bin-{_AT}"})
        return await found.sort([("sort_name", 1), ("_id", 1)]).limit(PAGE).to_list()

    return {
        "first page": lambda: who.get(path, params=first_page),
        "last page": lambda: who.get(path, params={**first_page, "cursor": last}),
        "search by name": lambda: who.post(f"{path}/search", json={"text": "chloe"}),
        "search by number": lambda: who.post(f"{path}/search", json={"text": "0450/04.98"}),
        "largest page, 200 members": lambda: who.get(path, params={"limit": "200"}),
        "peer: the driver's own find, first page": driver,
    }


async def _last_cursor(who: As, path: str) -> str:
    """Give the cursor of the last full page."""
    cursor: str | None = None
    seen: list[str] = []
    while True:
        params = {"limit": str(PAGE)} | ({} if cursor is None else {"cursor": cursor})
        page = await who.get(path, params=params)
        if page["next"] is None:
            return seen[-1]
        cursor = page["next"]
        seen.append(str(cursor))
