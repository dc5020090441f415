"""A bulletin of the real stack, on its way from the police to the members."""

from cli import demo_data
from cli.police import signed
from shared.clock import Clock
from shared.contracts import BulletinProposed
from shared.contracts.base import BulletinKind, Status
from shared.contracts.dispatcher import VerdictKind
from tests.e2e.local_stack import ZONE, LocalStack


def released(stack: LocalStack, marker: str) -> str:
    """Propose a bulletin as the police and release it as the coordinator."""
    clock, network = Clock(), demo_data.network_id("station")
    proposal = BulletinProposed(
        bulletin_id=clock.new_id(),
        zone_id=ZONE,
        network_ids=(network,),
        kind=BulletinKind.PREVENTION,
        status=Status.ACTUAL,
        subject={"nl": f"Tip {marker}"},
        body={"nl": "Sluit de deur."},
        issued_by="officer-1",
        issued_at=clock.now(),
    )
    verdict = stack.judged(signed(proposal, stack.key(), clock))
    assert verdict.verdict is VerdictKind.ACCEPTED, verdict
    with stack.api("registry", "coordinator") as registry:
        registry.post(f"/v1/networks/{network}/bulletins/{proposal.bulletin_id}/release")
    return proposal.bulletin_id
