"""From the `ehc` section of a config to the assumptions of a projection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.ehc.assumptions import Assumptions, PlanningTable
from forecast.ehc.overrides import Override

if TYPE_CHECKING:
    from jobs.config_ehc import CapacitySpec, EhcSpec, OverrideSpec, TableSpec


def assumptions_of(section: EhcSpec) -> Assumptions:
    """Return the assumptions of a section; what it leaves out is the library's own."""
    own, rules = Assumptions(), section.national_rule
    steps = section.capacity if isinstance(section.capacity, tuple) else ()
    return Assumptions(
        overrides=(*map(override_of, section.overrides), *map(capacity_from, steps)),
        capacity=None if isinstance(section.capacity, tuple) else section.capacity,
        profile=section.profile,
        requests_rule=rules.requests or own.requests_rule,
        caseload_rule=rules.caseload or own.caseload_rule,
        tables=tuple(map(table_of, section.tables)) if section.tables else own.tables,
    )


def override_of(spec: OverrideSpec) -> Override:
    """Return an override as the library takes it.

    Raises
    ------
    SpecError
        If it cannot be.
    """
    return Override(
        what=spec.what,
        start=spec.start,
        end=spec.end,
        value=spec.value,
        multiply=spec.multiply,
        ages=spec.ages,
        reason=spec.reason,
    )


def capacity_from(spec: CapacitySpec) -> Override:
    """Return a capacity from a day on: it holds until the next one."""
    return Override(what="capacity", start=spec.start, value=spec.a_month, reason=spec.reason)


def table_of(spec: TableSpec) -> PlanningTable:
    """Return a planning table as the library takes it.

    Raises
    ------
    SpecError
        If its ages cannot be.
    """
    return PlanningTable(spec.name, spec.title, spec.bands, spec.years, spec.placement)
