"""The dispatcher's collections in MongoDB."""
