"""From a run folder to what a planner reads: tables, charts, and a page that opens offline."""
