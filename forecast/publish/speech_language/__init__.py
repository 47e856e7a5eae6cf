"""The section "Speech and language: demand, waits and therapists" of a page, and its table in a release."""
