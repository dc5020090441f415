"""The registry's collections in MongoDB."""
