"""The log's rules: pure, without I/O."""
