"""Compiled forecasting kernels for all series of a panel at once: arrays in, arrays out."""
