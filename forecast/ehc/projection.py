"""Projections of one area, or of many one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType

import pandas as pd

from forecast.ehc.assumptions import Assumptions
from forecast.ehc.figures import Figures
from forecast.ehc.history import published
from forecast.ehc.local import MonthlyRequests
from forecast.ehc.nation import Nation, prepared
from forecast.ehc.outputs import Projection
from forecast.ehc.story import Story
from forecast.errors import SpecError
from forecast.reference.areas import Area, areas, find_area

NO_MONTHS: Mapping[str, MonthlyRequests] = MappingProxyType({})


def project(
    area: str,
    *,
    until: int = 2035,
    assumptions: Assumptions | None = None,
    monthly: pd.DataFrame | None = None,
    as_of: date | str | None = None,
    n_paths: int = 1000,
    seed: int = 0,
) -> Projection:
    """Project EHC requests, plans and caseload of an area from the bundled figures.

    Parameters
    ----------
    area : str
        A local authority, region or "England", by name or code; of the last two the sum of their authorities.
    until : int, default 2035
        Last calendar year.
    assumptions : Assumptions, optional
        Overrides, capacity, rules.
    monthly : DataFrame, optional
        Requests the authority itself counted: ds (of a month), y. They say how a year's requests spread over its
        months, and move the projected years.
    as_of : date, optional
        Nothing that became available later is read.
    n_paths, seed : int
        The same seed gives the same paths.

    Returns
    -------
    Projection

    Raises
    ------
    SpecError
        An unknown area, or a year that cannot be.
    InputError
        Monthly requests that cannot be.

    Examples
    --------
    >>> project("Stockprt")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    forecast.errors.SpecError: area 'Stockprt': not a known local authority, region or code; did you mean Stockport...
    """
    found = find_area(area)
    given = assumptions or Assumptions()
    months = NO_MONTHS if monthly is None else {found.code: MonthlyRequests.from_frame(monthly)}
    if monthly is not None and found.geographic_level != "local_authority":
        raise SpecError(
            f"area '{found.name}': monthly requests are those of one local authority. Name one, or leave monthly out."
        )
    nation = prepared(Figures.bundled(as_of=as_of), until=until, assumptions=given, n_paths=n_paths, seed=seed)
    each = project_each(nation, members_of(found, nation.figures), assumptions=given, monthly=months)
    return Projection.total(each, found, history=published(nation.figures, found.code))


def project_each(
    nation: Nation,
    codes: Sequence[str],
    *,
    assumptions: Assumptions,
    monthly: Mapping[str, MonthlyRequests] = NO_MONTHS,
) -> Iterator[Projection]:
    """Project local authorities one after the other.

    Parameters
    ----------
    nation : Nation
    codes : sequence of str
        Codes of local authorities.
    assumptions : Assumptions
        Hold for each of them.
    monthly : mapping of code to MonthlyRequests, default none
        Requests that authorities counted themselves.

    Yields
    ------
    Projection
        With its baseline where assumptions change anything.

    Raises
    ------
    SpecError
        An override starts after the projection ends or ends before it begins; a capacity for several authorities.
    """
    limited = assumptions.capacity is not None or any(o.what == "capacity" for o in assumptions.overrides)
    if len(codes) > 1 and limited:
        raise SpecError(
            f"capacity: it is one authority's, and {len(codes)} are projected. Project one, or leave the capacity out."
        )
    idle = [o for o in assumptions.overrides if o.end is not None and o.end.year <= nation.figures.last_flow]
    if idle:
        raise SpecError(
            f"override of {idle[0].what!r} from {idle[0].start}: it ends on {idle[0].end}, before the projection "
            f"begins in {nation.figures.last_flow + 1}, so that it changes nothing. Take it out."
        )
    late = [override for override in assumptions.overrides if override.start.year > nation.until]
    if late:
        raise SpecError(
            f"override of {late[0].what!r} from {late[0].start}: the projection ends in {nation.until}, so that it "
            "changes nothing. Give an earlier day or a later until."
        )
    for code in codes:
        yield Story.of(nation, code, profile=assumptions.profile, monthly=monthly.get(code)).told(assumptions)


def members_of(area: Area, figures: Figures) -> tuple[str, ...]:
    """Codes of the local authorities an area is made of.

    Raises
    ------
    SpecError
        An authority that was abolished.
    """
    england = area.geographic_level == "national"
    codes = tuple(m.code for m in figures.areas if england or area.code in (m.code, m.region_code))
    if not codes:
        known = areas()
        last = int(known.loc[known["area_code"].eq(area.code), "last"].iloc[0])
        raise SpecError(
            f"area '{area.name}' ({area.code}): abolished, its figures end in {last}; today's authorities can be "
            "projected. Name the one that took its place."
        )
    return codes
