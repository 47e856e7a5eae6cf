"""What a projection is told by: measures, their categories, and how each is counted."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from forecast.ehc.ages import REQUEST_AGES, STOCK_AGES
from forecast.ehc.caseload import PHASES
from forecast.ehc.shares import CAUSES, NEEDS, PLACEMENTS

FREQS: Mapping[str, str] = MappingProxyType({"YS": "calendar years", "MS": "months"})
CATEGORIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "requests/age": REQUEST_AGES,
        "caseload/age": tuple(str(age) for age in STOCK_AGES),
        "caseload/need": NEEDS,
        "caseload/placement": PLACEMENTS,
        "ceased/cause": CAUSES,
        "phase_transfers/phase": tuple(PHASES),
    }
)
"""Categories by "measure/dimension"."""
SHARES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "timeliness_20_week": ("within_20_weeks", "timed"),
        "decided_within_6_weeks": ("decided_within_6", "decisions"),
    }
)
"""Shares of sums, in per cent: the part and the whole."""
HIDDEN = frozenset({"within_20_weeks", "timed", "decided_within_6", "caseload_alone"})
"""Kept on paths, and not shown."""
JANUARY = frozenset({"caseload", "phase_transfers"})
"""Counted in January."""
STOCK_FLOW = ("new_plans", "ceased", "transfers_in", "residual", "adjustment")
"""What moves the caseload from one January to the next."""
BY_SHARES = frozenset({"requests/age", "requests/age_band", "caseload/need", "caseload/placement", "ceased/cause"})
"""Split by shares that are held as they were, or borrowed."""
BY_AGE = frozenset({"caseload/age", "caseload/age_band", "phase_transfers/phase"})
"""Split by borrowed shares in an authority whose own ages are not published."""
