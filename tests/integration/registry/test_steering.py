"""A coordinator's steering group: members of the own network, without privileges."""

from shared.contracts import Access
from tests.integration.registry.harness import Registry, add_network
from tests.integration.registry.test_figures import add_members

STEERING = "/networks/bin-linde/steering-group"


async def test_a_steering_group_is_made_of_the_networks_active_members(linde: Registry) -> None:
    """Rules text: a coordinator "can have co-coordinators, a steering group and deputies"."""
    first, second = await add_members(linde, 2)
    person = linde.coordinator()
    named = await person.call("PUT", STEERING, 200, json={"member_ids": [second, first, second]})
    assert [item["member_id"] for item in named["items"]] == [second, first]

    await person.post(f"/networks/bin-linde/members/{first}/leave", json={})

    assert [item["member_id"] for item in (await person.get(STEERING))["items"]] == [second]
    actions = [e.action for e in await linde.events(Access) if "steering" in e.action]
    assert actions == ["network.steering_group", "steering_group.read"]
    problem = await person.call("PUT", STEERING, 422, json={"member_ids": [first]})
    assert problem["field"] == "member_ids"


async def test_another_networks_member_is_nobody_here(linde: Registry) -> None:
    await add_network(linde, "bin-2", coordinator="coordinator-1")
    [other] = await add_members(linde, 1, "bin-2")

    await linde.coordinator().call("PUT", STEERING, 422, json={"member_ids": [other]})

    assert (await linde.coordinator().get(STEERING))["items"] == []


async def test_it_gives_no_privileges(linde: Registry) -> None:
    """Rules text: "Membership gives no privileges"."""
    [member] = await add_members(linde, 1)
    await linde.coordinator().call("PUT", STEERING, 200, json={"member_ids": [member]})

    as_member = linde.coordinator(member)

    await as_member.get(STEERING, 404)
    await as_member.get("/networks/bin-linde/members", 404)
