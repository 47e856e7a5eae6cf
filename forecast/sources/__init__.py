"""Readers of real data: one file a source, each returning observations that know when they became public."""
