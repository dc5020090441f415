"""What the audit service raises an alarm about: codes, and what to do."""

from enum import StrEnum


class Alarm(StrEnum):
    """Something that should have happened did not."""

    NO_VERDICT = "no_verdict"
    """A record of the police that no judge answered."""

    NO_CLOSING = "no_closing"
    """A message without a closing statement 25 hours after its end."""

    CLOSING_DIFFERS = "closing_differs"
    """A closing statement that speaks of other events than those on record."""

    CLOSING_STAYS_DIFFERENT = "closing_stays_different"
    """A closing statement that still differs after every request to publish its events again."""

    LOW_COVERAGE = "low_coverage"
    """Too few of a warm message's sends were accepted in time; the dispatcher noticed."""

    RESTORED = "restored"
    """The database was restored from a backup: entries that were published as signed are lost, and
    what the topics still hold of them is appended again."""


BROKEN = (
    "nothing is taken in, nor for other zones of this process: rows of this log do not fit its "
    "head; stop the service, keep the database as it is, and restore the last good backup, within "
    "the 7 days for which the topics keep what waits"
)
"""Why a log, and with it a whole process, stands still."""


class Doubt(StrEnum):
    """Why a log's checkpoint is not signed. The texts say what to do."""

    BEHIND_PUBLISHED = (
        "the log is shorter than a checkpoint that was published: the database is older than its "
        "topics (a restored backup?); run 'buurtbode recover audit --zone ... --reason ...', and "
        "see A restored backup in docs/operations.md"
    )
    NOT_PUBLISHED_LOG = (
        "the entries are not those that a published checkpoint was signed over; stop the service, "
        "keep the database as it is, and restore the last good backup. If this is a restored "
        "backup, run 'buurtbode recover audit --zone ... --reason ...': see A restored backup in "
        "docs/operations.md"
    )
    NOT_SIGNED_LOG = (
        "the entries are not those that the last checkpoint was signed over; stop the service, "
        "keep the database as it is, and restore the last good backup"
    )
    NOT_ITS_NOTE = (
        "the last checkpoint is not signed by the configured key: where the key was changed, name "
        "the one of before in BUURTBODE_FORMER_SIGNING_KEY; else stop the service, keep the "
        "database as it is, and restore the last good backup"
    )
    NOT_THE_HEAD = (
        "the entries since the last checkpoint do not give the head; stop the service, keep the "
        "database as it is, and restore the last good backup"
    )
    OUT_OF_ORDER = (
        "an entry is missing or stands in another's place; stop the service, keep the database as "
        "it is, and restore the last good backup"
    )
    SURPLUS = (
        "a row stands beside the entries that is none of them, and may be shown as one; stop the "
        "service, keep the database as it is, and restore the last good backup"
    )
    FIELDS_DIFFER = (
        "an entry's indexed fields are not those of the entry; stop the service, keep the database "
        "as it is, and restore the last good backup"
    )
    PRIVATE_DIFFERS = (
        "a private part is not the one that its entry commits to; stop the service, keep the "
        "database as it is, and restore the last good backup"
    )
    TILES_DIFFER = (
        "stored hashes are not those of the entries, so proofs from them would fail; the log "
        "itself may be whole: hold a bundle against what a witness kept, and restore the last good "
        "backup"
    )
    LISTS_DIFFER = (
        "a list (of sends, messages or closings) is not what the entries make of it, so answers "
        "may be false; the log itself may be whole: hold a bundle against what a witness kept, and "
        "restore the last good backup"
    )
    COUNTERS_DIFFER = (
        "the counters are not what the log or its list of sends makes of them, so figures may be "
        "false; the log itself may be whole: hold a bundle against what a witness kept, and "
        "restore the last good backup"
    )
    PRIVATE_MISSING = (
        "a private part that nothing erases is gone; stop the service, keep the database as it is, "
        "and restore the last good backup"
    )
    PRIVATE_UNACCOUNTED = (
        "a private part is gone that no erasure took and whose date has not come, so somebody may "
        "have dropped it; the log itself may be whole: a bundle taken before still holds the part, "
        "and so does the last good backup"
    )
    MALFORMED = (
        "a stored row does not have its form; stop the service, keep the database as it is, and "
        "restore the last good backup"
    )
