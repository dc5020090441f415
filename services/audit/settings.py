"""The audit service's settings."""

from datetime import timedelta
from pathlib import Path

from shared.settings import ServiceSettings


class AuditSettings(ServiceSettings):
    """Everything the audit service needs to start."""

    signing_key: Path
    """PEM file (PKCS 8, Ed25519) that signs the checkpoints of every zone's log."""

    former_signing_key: Path | None = None
    """While the key changes: the one of before, which signs too. docs/operations.md tells how."""

    text_kept_for: timedelta = timedelta(days=365)
    """How long the texts of messages stay readable; their hashes stay in the log."""

    private_kept_for: timedelta = timedelta(days=5 * 365 + 2)
    """How long the private parts of sends, accesses and notices are kept; entries stay.

    Five years is this project's own choice, which no law sets: a claim for damage outside a
    contract lapses five years after one knew of the damage and of who is liable, and at most twenty
    after the fact (Belgian Civil Code of 1804, art. 2262bis, § 1, second and third paragraphs).
    Within five years of a message somebody may so want to show who was sent what, and who looked.
    """

    lookups_per_hour: int = 60
    """How often one reader may look somebody up, per zone; beyond it the answer is 429."""
