"""Forecasts of SEND demand: EHC plan requests, plans and speech and language.

The public library is what this module exports; see `README.md` for a script of ten lines.
"""
