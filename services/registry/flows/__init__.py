"""The registry's use cases, one verb a file."""
