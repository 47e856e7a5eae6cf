"""Benchmarks against peers and public data: each prints one table."""
