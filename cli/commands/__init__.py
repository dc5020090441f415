"""One module per command or group of commands; each reads options and calls what does the work."""
