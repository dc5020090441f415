"""What carries a message to a person: one port, a sender per channel."""
