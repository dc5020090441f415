"""The jobs: what is done again and again, and how often."""

from dataclasses import dataclass
from datetime import timedelta

from services.audit.flows.answer_closings import AnswerClosings
from services.audit.flows.apply_erasures import ApplyErasures
from services.audit.flows.change_log_key import ChangeLogKey
from services.audit.flows.drop_ended import DropEnded
from services.audit.flows.join_originals import JoinOriginals
from services.audit.flows.raise_alarms import RaiseAlarms
from services.audit.flows.sign_checkpoints import SignCheckpoints
from services.audit.flows.watch_lists import WatchLists
from shared.service import Job
from shared.tasks import Task

_SOON = timedelta(milliseconds=250)
"""For what waits for the commit of a batch that has just been announced."""

_REGULARLY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Jobs:
    """All jobs of the service."""

    sign: Job
    check: Job
    join: Job
    answer: Job
    erase: Job
    alarm: Job
    drop: Job
    lists: Job
    key: Job

    def wake(self) -> None:
        """Have those look now that follow from a batch."""
        for job in (self.join, self.answer, self.erase, self.sign):
            job.wake()

    def tasks(self) -> list[Task]:
        """Give what to run."""
        jobs = (self.sign, self.check, self.join, self.answer, self.erase, self.alarm, self.drop)
        return [job.run for job in (*jobs, self.lists, self.key)]


def make_jobs(
    *,
    sign: SignCheckpoints,
    join: JoinOriginals,
    answer: AnswerClosings,
    erase: ApplyErasures,
    alarm: RaiseAlarms,
    drop: DropEnded,
    lists: WatchLists,
    key: ChangeLogKey,
) -> Jobs:
    """Bind each flow to its turn."""
    return Jobs(
        sign=Job("sign", sign.once, _SOON),
        check=Job("check", sign.check, _REGULARLY),
        join=Job("join", join.once, _SOON),
        answer=Job("answer", answer.once, _SOON),
        erase=Job("erase", erase.once, _SOON),
        alarm=Job("alarm", alarm.once, _REGULARLY),
        drop=Job("drop", drop.once, _REGULARLY),
        lists=Job("lists", lists.once, _REGULARLY),
        key=Job("key", key.once, _REGULARLY),
    )
