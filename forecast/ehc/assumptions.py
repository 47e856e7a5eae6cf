"""What a projection takes for granted: overrides, a capacity, rules for the nation, and the tables planners fill in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from forecast.calendar import Intervention
from forecast.ehc import growth, requests
from forecast.ehc.ages import BAND_NAMES, BANDS
from forecast.ehc.overrides import OLDEST, Override, applied, ordered
from forecast.ehc.shares import PLACEMENTS
from forecast.ehc.weeks import Profile
from forecast.errors import SpecError
from forecast.panel import FloatArray

PROFILES = ("school_days", "even")
LISTED = ("what", "start", "end", "ages", "value", "multiply", "reason")


@dataclass(frozen=True)
class PlanningTable:
    """A table planners fill in: the caseload in age bands, January by January.

    Attributes
    ----------
    name, title : str
    bands : mapping of label to (first, last) age at 31 August before
    years : int
        Academic years ahead.
    placement : str, optional
        One placement group only, such as "special".

    Raises
    ------
    SpecError
        No band, no year, ages that cannot be, or an unknown placement.
    """

    name: str
    title: str
    bands: Mapping[str, tuple[int, int]]
    years: int
    placement: str | None = None

    def __post_init__(self) -> None:
        if not self.bands or self.years < 1:
            raise SpecError(f"table {self.name!r}: at least one band and one year are needed. Add them.")
        if self.placement is not None and self.placement not in PLACEMENTS:
            raise SpecError(
                f"table {self.name!r}, placement {self.placement!r}: not known; the groups are {', '.join(PLACEMENTS)}."
                " Name one of them, or leave it out for all."
            )
        for label, (first, last) in self.bands.items():
            if not 0 <= first <= last <= OLDEST:
                raise SpecError(
                    f"table {self.name!r}, band {label!r}: ages {first} to {last}; ages run from 0 to {OLDEST}, the "
                    "younger first. Correct them."
                )


LSRP_BANDS = MappingProxyType({BAND_NAMES[band]: span for band, span in BANDS.items()})
DEFAULT_TABLES = (
    PlanningTable("lsrp", "Plans by age band, as in a Local SEND Reform Plan", LSRP_BANDS, 5),
    PlanningTable("scap_primary", "Special schools, primary", {"Reception to Year 6": (4, 10)}, 5, "special"),
    PlanningTable(
        "scap_secondary",
        "Special schools, secondary and after",
        {"Years 7 to 11": (11, 15), "Years 12 to 14": (16, 18)},
        7,
        "special",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """Everything a projection takes for granted that figures do not say.

    Attributes
    ----------
    overrides : sequence of Override
    capacity : float, optional
        Assessments completed a month, in every projected month; short for an override.
    profile : {"school_days", "even"} or 12 shares
        How the requests of a year spread over it.
    requests_rule, caseload_rule : str
        Path of the nation: a name of `requests.NATIONAL_RULES` and one of `growth.NATIONAL_RULES`.
    interventions : sequence of Intervention
        What disturbed the trend of requests on known days and says nothing of growth; by default COVID-19 in 2020.
    tables : sequence of PlanningTable

    Raises
    ------
    SpecError
        Overrides contradict each other, or a name or share cannot be.
    """

    overrides: tuple[Override, ...] = ()
    capacity: float | None = None
    profile: Profile = "school_days"
    requests_rule: str = next(iter(requests.NATIONAL_RULES))
    caseload_rule: str = next(iter(growth.NATIONAL_RULES))
    interventions: tuple[Intervention, ...] = requests.HOLDS
    tables: tuple[PlanningTable, ...] = DEFAULT_TABLES

    def __post_init__(self) -> None:
        object.__setattr__(self, "overrides", ordered(self.overrides))
        _check_capacity(self.capacity, self.overrides)
        _check_profile(self.profile)
        _check_rule("requests_rule", self.requests_rule, requests.NATIONAL_RULES)
        _check_rule("caseload_rule", self.caseload_rule, growth.NATIONAL_RULES)
        names = [table.name for table in self.tables]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SpecError(f"table {twice[0]!r}: given twice. Give one of the two another name.")

    @property
    def change_anything(self) -> bool:
        """Whether there is an override or a capacity."""
        return bool(self.overrides) or self.capacity is not None

    def without_overrides(self) -> Assumptions:
        """Return what is left when nothing is overridden: the baseline."""
        return replace(self, overrides=(), capacity=None)

    def capacity_by_month(self, months: pd.DatetimeIndex) -> FloatArray | None:
        """Return assessments completed a month at most (months,), infinite where unlimited; None without any."""
        if self.capacity is not None:
            return np.full(len(months), float(self.capacity))
        if not any(override.what == "capacity" for override in self.overrides):
            return None
        return applied(self.overrides, "capacity", np.full((len(months), 1), np.inf), days=months)[:, 0]

    def listed(self) -> pd.DataFrame:
        """List every override and the capacity.

        Returns
        -------
        DataFrame
            what, start, end ("" for good), ages ("all", "0 to 4"), value, multiply, reason.
        """
        rows = [
            (
                o.what,
                o.start.isoformat(),
                o.end.isoformat() if o.end else "",
                f"{o.ages[0]} to {o.ages[1]}" if o.ages else "all",
                np.nan if o.value is None else o.value,
                np.nan if o.multiply is None else o.multiply,
                o.reason,
            )
            for o in self.overrides
        ]
        if self.capacity is not None:
            rows.append(("capacity", "", "", "all", float(self.capacity), np.nan, ""))
        return pd.DataFrame(rows, columns=list(LISTED))


def _check_capacity(capacity: float | None, overrides: tuple[Override, ...]) -> None:
    if capacity is None:
        return
    if not 0 <= capacity < np.inf:
        raise SpecError(f"capacity {capacity:g}: assessments a month are 0 or more. Correct it.")
    if any(override.what == "capacity" for override in overrides):
        raise SpecError(
            f"capacity {capacity:g}: it is also overridden from a date; one of the two is allowed. Give the capacity "
            "of every period as an override."
        )


def _check_profile(profile: Profile) -> None:
    if isinstance(profile, str):
        if profile not in PROFILES:
            raise SpecError(f"profile {profile!r}: not known; {', '.join(PROFILES)} or 12 monthly shares. Give one.")
    elif len(profile) != 12 or min(profile) < 0 or abs(sum(profile) - 1) > 0.01:
        raise SpecError(
            f"profile of {len(profile)} shares that sum to {sum(profile):g}: 12 shares of 0 or more that sum to 1 are "
            "needed, January first. Correct them."
        )


def _check_rule(name: str, rule: str, known: Mapping[str, str]) -> None:
    if rule not in known:
        raise SpecError(f"{name} {rule!r}: not known; the rules are {', '.join(known)}. Name one of them.")
