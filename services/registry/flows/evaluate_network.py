"""Put a network's yearly evaluation together, from what happened and what was sent."""

from services.registry.domain.evaluation import Evaluation, evaluate
from services.registry.domain.figures import year_bounds
from services.registry.flows.context import Context
from services.registry.flows.show_figures import gather
from shared.mongo import Session


async def evaluate_network(context: Context, network_id: str, year: int) -> Evaluation:
    """Give a network's year, as things stand now. Raises `NotThere`."""
    since, until = year_bounds(year)

    async def work(session: Session) -> Evaluation:
        network = await context.networks.get(network_id, session)
        [activity] = await gather(context, session, [network], year)
        return evaluate(
            activity,
            year,
            bulletins=await context.bulletins.ended_between(session, network_id, since, until),
            feedback=await context.alerts.feedback(session, network_id, since, until),
            reach=await context.members.reach(session, network_id),
            meetings=await context.meetings.between(session, network_id, since, until),
            tariff=context.policy.tariff,
        )

    return await context.transaction(work)
