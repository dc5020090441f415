"""The audit service keeps a tamper-evident account of every send."""
