"""The buurtbode command: thin."""
