"""The audit service's use cases, one verb a file."""
