"""The dispatcher's use cases, one verb a file."""
