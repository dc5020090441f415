"""The dispatcher's rules: pure, without I/O."""
