"""Measurements: what is compared is run in turns, so that a busy machine slows all alike."""
