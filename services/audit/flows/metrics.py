"""What the audit service counts."""

from prometheus_client import Counter, Gauge

ENTRIES = Counter("buurtbode_audit_entries", "Entries appended", ["type"])
CHECKPOINTS = Counter("buurtbode_audit_checkpoints", "Checkpoints signed")
ALARMS = Counter("buurtbode_audit_alarms", "Alarms raised", ["alarm"])
ANSWERS = Counter("buurtbode_audit_answers", "Closing statements answered", ["answer"])
LIST_DOUBTS = Gauge("buurtbode_audit_list_doubts", "Logs whose lists are in doubt")
DOUBTS = Gauge("buurtbode_audit_doubts", "Logs whose checkpoint is not signed, out of doubt")
OVERDUE_CHECKS = Gauge(
    "buurtbode_audit_overdue_checks", "Daily checks of a log that have not ended for two days"
)
MISSING_KEYS = Gauge(
    "buurtbode_audit_missing_pseudonym_keys",
    "Zones' pseudonym keys that are missing for this year, and in December for the next",
)
STAY_DIFFERENT = Gauge(
    "buurtbode_audit_closings_staying_different",
    "Closing statements that still differ after every request to publish the events again",
)
