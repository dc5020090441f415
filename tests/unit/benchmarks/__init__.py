"""The benchmarks' command line."""
