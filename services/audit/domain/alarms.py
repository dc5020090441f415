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

    RESTORED = "restored"
    """The database was restored from a backup: entries that were published as signed are lost, and
    what the topics still hold of them is appended again."""


class Doubt(StrEnum):
    """Why a log's checkpoint is not signed. The texts say what to do."""

    BEHIND_PUBLISHED = (
        "the log is shorter than a checkpoint that was published: the database is older than its "
        "topics (a restored backup?); POST /v1/recover as an operator, see docs/operations.md"
    )
    NOT_PUBLISHED_LOG = (
        "the entries are not those that a published checkpoint was signed over; stop the service, "
        "keep the database as it is, and restore the last good backup. If this is a restored "
        "backup, POST /v1/recover as an operator, see docs/operations.md"
    )
    NOT_SIGNED_LOG = (
        "the entries are not those that the last checkpoint was signed over; stop the service, "
        "keep the database as it is, and restore the last good backup"
    )
    NOT_THE_HEAD = (
        "the entries since the last checkpoint do not give the head; stop the service, keep the "
        "database as it is, and restore the last good backup"
    )
    OUT_OF_ORDER = (
        "an entry is missing or stands in another's place; stop the service, keep the database as "
        "it is, and restore the last good backup"
    )
    FIELDS_DIFFER = (
        "an entry's indexed fields are not those of the entry; stop the service, keep the database "
        "as it is, and restore the last good backup"
    )
    PRIVATE_DIFFERS = (
        "a private part is not the one that its entry commits to; stop the service, keep the "
        "database as it is, and restore the last good backup"
    )
