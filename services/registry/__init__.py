"""The registry owns zones, networks, members and the relay of bulletins."""
