"""What the dispatcher does by the clock, or when it is told that there is something to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.dispatcher.flows.close_message import CloseMessage
from services.dispatcher.flows.end_destinations import EndDestinations
from services.dispatcher.flows.expire_sends import ExpireSends
from services.dispatcher.flows.fall_back import FallBack
from services.dispatcher.flows.forget_at_provider import ForgetAtProvider
from services.dispatcher.flows.pass_on import PassOn
from services.dispatcher.flows.plan_message import PlanAgain, PlanMessage
from services.dispatcher.flows.publish_events import PublishEvents
from services.dispatcher.flows.reconcile_unknown import ReconcileUnknown
from services.dispatcher.flows.recover_leases import RecoverLeases
from services.dispatcher.flows.share_rates import ShareRates
from services.dispatcher.flows.wait_for_copy import CopyGate
from services.dispatcher.flows.watch_coverage import WatchCoverage
from shared.service import Job

_NOW_AND_THEN = timedelta(seconds=2)
_RARELY = timedelta(seconds=10)
_HOURLY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs that somebody wakes, by name, and the rest."""

    plan: tuple[Job, ...]
    publish: Job
    close: Job
    others: tuple[Job, ...]

    def all(self) -> tuple[Job, ...]:
        """Give every job, to run them."""
        return (*self.plan, self.publish, self.close, *self.others)

    def wake_planners(self) -> None:
        """Have messages planned now."""
        for job in self.plan:
            job.wake()


def build_jobs(
    *,
    planners: Sequence[PlanMessage],
    plan_again: PlanAgain,
    gate: CopyGate,
    publish: PublishEvents,
    close: CloseMessage,
    expire: ExpireSends,
    pass_on: PassOn,
    fall_back: FallBack,
    leases: RecoverLeases,
    reconcile: ReconcileUnknown,
    forget: ForgetAtProvider,
    watch: WatchCoverage,
    end: EndDestinations,
    share: ShareRates,
    interval: timedelta,
) -> Jobs:
    """Make the jobs; `interval` is how often they look unasked.

    Any number of processes may run them: each takes its work under a lease, a fence or a version.
    """
    return Jobs(
        plan=tuple(Job(f"plan-{n}", planner.once, interval) for n, planner in enumerate(planners)),
        publish=Job("publish-events", publish.once, interval, leave=publish.release),
        close=Job("close", close.once, interval),
        others=(
            Job("plan-again", plan_again.once, interval),
            Job("copy-complete", gate.check_complete, interval),
            Job("expire", expire.once, interval),
            Job("fall-back", fall_back.once, interval),
            Job("pass-on", pass_on.once, _NOW_AND_THEN),
            Job("leases", leases.once, interval),
            Job("reconcile", reconcile.once, interval),
            Job("watch-coverage", watch.once, interval),
            Job("forget-at-provider", forget.once, _RARELY),
            Job("share-rates", share.once, _NOW_AND_THEN),
            Job("end-destinations", end.once, _HOURLY),
        ),
    )
