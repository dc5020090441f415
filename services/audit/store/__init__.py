"""The audit service's collections in MongoDB."""
