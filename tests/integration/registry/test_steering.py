"""A coordinator's steering group: members of the own network, without privileges."""

from typing import Any

from shared.contracts import Access
from tests.integration.registry.harness import Registry, add_network
from tests.integration.registry.test_figures import add_members

STEERING = "/networks/bin-linde/steering-group"


async def name(registry: Registry, *members: str, status: int = 200) -> Any:
    person = registry.coordinator()
    tag = {"If-Match": (await person.raw("GET", STEERING)).headers["ETag"]}
    body = {"member_ids": members}
    return await person.call("PUT", STEERING, status, json=body, headers=tag)


async def test_a_steering_group_is_made_of_the_networks_active_members(linde: Registry) -> None:
    """Rules text: a coordinator "can have co-coordinators, a steering group and deputies"."""
    first, second = await add_members(linde, 2)
    person = linde.coordinator()
    named = await name(linde, second, first, second)
    assert [item["member_id"] for item in named["items"]] == [second, first]

    await person.post(f"/networks/bin-linde/members/{first}/leave", json={})

    assert [item["member_id"] for item in (await person.get(STEERING))["items"]] == [second]
    actions = [e.action for e in await linde.events(Access) if "steering" in e.action]
    assert actions == [
        "steering_group.read",
        "network.steering_group",
        "steering_group.leave",
        "steering_group.read",
    ]
    problem = await name(linde, first, status=422)
    assert problem["field"] == "member_ids"


async def test_another_networks_member_is_nobody_here(linde: Registry) -> None:
    await add_network(linde, "bin-2", coordinator="coordinator-1")
    [other] = await add_members(linde, 1, "bin-2")

    await name(linde, other, status=422)

    assert (await linde.coordinator().get(STEERING))["items"] == []


async def test_it_gives_no_privileges(linde: Registry) -> None:
    """Rules text: "Membership gives no privileges"."""
    [member] = await add_members(linde, 1)
    await name(linde, member)

    as_member = linde.coordinator(member)

    await as_member.get(STEERING, 404)
    await as_member.get("/networks/bin-linde/members", 404)


async def test_two_who_name_it_at_once_do_not_overwrite_each_other(linde: Registry) -> None:
    first, second = await add_members(linde, 2)
    person = linde.coordinator()
    tag = {"If-Match": (await person.raw("GET", STEERING)).headers["ETag"]}
    one, other = {"member_ids": [first]}, {"member_ids": [second]}
    await person.call("PUT", STEERING, 428, json=one)
    await person.call("PUT", STEERING, 200, json=one, headers=tag)

    await person.call("PUT", STEERING, 412, json=other, headers=tag)

    assert [item["member_id"] for item in (await person.get(STEERING))["items"]] == [first]


async def test_it_stands_in_a_members_record_and_ends_with_the_membership(linde: Registry) -> None:
    """Source: GDPR, articles 15 and 17: it is held on them, so it is told, and goes with them."""
    members = await add_members(linde, 3)
    left, erased, outside = (f"/networks/bin-linde/members/{member}" for member in members)
    await name(linde, *members[:2])
    person = linde.coordinator()
    told = [(await person.get(f"{path}/record"))["steering_group"] for path in (left, outside)]
    assert told == [True, False]
    page = await person.raw("GET", f"{left}/record", params={"form": "html"})
    assert "stuurgroep" in page.text

    await person.post(f"{left}/leave", json={})
    await person.post(f"{erased}/erase", json={"reason": "Vroeg erom."})

    row = await linde.database["networks"].find_one({"_id": "bin-linde"})
    assert row is not None
    assert row["steering_group"] == []
