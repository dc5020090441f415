"""How long a member list of 10,000 rows takes to import, and what to hold it against.

The limit is the database: the same rows and events as the import writes, stored by nothing but bare
bulk inserts outside any transaction. The peer is what the members' own route would take, one
request per person, as a script over the HTTP interface does it.
"""

from benchmarks.registry_rig import registry, run, seconds, spread
from shared.mongo import Document
from tests.integration.registry.harness import Registry, member_input

TITLE = "Registry: importing a member list"
ROWS, ROUNDS, SINGLE, TARGET_S = 10_000, 5, 200, 5.0


def measure() -> list[str]:
    """Import a list, insert the same bytes, and add people one by one, in turns."""
    return run(_measure())


async def _measure() -> list[str]:
    imported: list[float] = []
    checked: list[float] = []
    bare: list[float] = []
    single: list[float] = []
    async with registry(2 * ROUNDS + 1) as made:
        for turn in range(ROUNDS):
            network = f"bin-{turn + 1}"
            data = member_list(turn)
            checked.append(await seconds(lambda n=network, d=data: _send(made, n, d, dry=True)))
            imported.append(await seconds(lambda n=network, d=data: _send(made, n, d, dry=False)))
            await made.publish()
            rows = await _written(made, network)
            bare.append(await seconds(lambda r=rows: _insert(made, r)))
            path = f"bin-{ROUNDS + turn + 1}"
            took = await seconds(lambda n=path, t=turn: _one_by_one(made, n, t))
            single.append(took / SINGLE * ROWS)
            await made.database.drop_collection("bare")
            await made.database["members"].delete_many({})
            made.cluster.records.clear()
    return [
        (
            f"{ROWS:,} rows of CSV, each a new member with a mobile number and an address, who "
            f"gets an acceptance link; {ROUNDS} rounds in turns, over HTTP in one process."
        ),
        "",
        "| seconds | median | lowest | highest |",
        "|---|---|---|---|",
        f"| dry run: read, and report | {spread(checked, '', 2)} |",
        f"| import, one transaction (target below {TARGET_S:.0f}) | {spread(imported, '', 2)} |",
        f"| limit: bare inserts of the same rows and events | {spread(bare, '', 2)} |",
        f"| peer: one request per person ({SINGLE} measured) | {spread(single, '', 1)} |",
    ]


def member_list(turn: int) -> bytes:
    """Give a list as a volunteer keeps it, with other people each turn."""
    lines = ["Naam;GSM;E-mail;Taal"]
    for number in range(ROWS):
        digits = f"{turn * ROWS + number:06}"
        phone = f"0450/{digits[:2]}.{digits[2:4]}.{digits[4:]}"
        lines.append(f"Voorbeeld Lid {digits};{phone};lid{digits}@voorbeeld.example;NL")
    return "\r\n".join(lines).encode("cp1252")


async def _send(made: Registry, network: str, data: bytes, *, dry: bool) -> None:
    report = await made.coordinator(network.replace("bin", "coordinator")).post(
        f"/networks/{network}/members/import", params={"dry_run": dry}, content=data
    )
    if report["added"] != ROWS or report["applied"] == dry:
        message = f"{report['added']} rows, {report['problem_count']} problems"
        raise RuntimeError(message)


async def _written(made: Registry, network: str) -> list[Document]:
    """Give rows of the size of all that an import writes: members, counters and events."""
    members = await made.database["members"].find({"network_id": network}).to_list()
    published = [r for records in made.cluster.records.values() for r in records][-2 * ROWS :]
    events: list[Document] = [{"value": r.value, "topic": r.topic} for r in published]
    counters: list[Document] = [{"_id": f"c{row['_id']}", "seq": 1} for row in members]
    return [*members, *counters, *events]


async def _insert(made: Registry, rows: list[Document]) -> None:
    for start in range(0, len(rows), 10_000):
        await made.database["bare"].insert_many(rows[start : start + 10_000])


async def _one_by_one(made: Registry, network: str, turn: int) -> None:
    who = made.coordinator(network.replace("bin", "coordinator"))
    for number in range(SINGLE):
        new = member_input(900_000 + turn * SINGLE + number)
        await who.post(f"/networks/{network}/members", 201, json=new)
