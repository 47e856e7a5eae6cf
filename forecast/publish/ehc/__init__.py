"""The section "From request to plan" of a page, and its table in a release."""
