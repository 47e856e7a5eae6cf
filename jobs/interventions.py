"""From the interventions of a target to columns of its panels, and which of them change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from forecast import models
from forecast.auto import default_members
from forecast.calendar import Intervention, intervention_columns
from forecast.panel import Panel
from forecast.sources import sen2_schema

if TYPE_CHECKING:
    from jobs.config import Target


def with_interventions(panel: Panel, target: Target, source: str, measure: str) -> Panel:
    """Return the panel with a column for each intervention, over its dates and those to forecast.

    A stock of a published release, such as the caseload in January, is counted on the first day of its period.
    """
    if not target.interventions:
        return panel
    stock = source == "sen2_release" and sen2_schema.period_of_measure().get(measure) == "stock"
    dates = panel.dates.union(panel.future(target.horizon))
    return panel.with_known(intervention_columns(_dated(target), dates, panel.freq, stock=stock))


def without_effect(target: Target, panel: Panel, *, form: str) -> tuple[str, ...]:
    """Say which interventions change nothing: no figure tells their effect, or the model does not use them.

    `form` is how the panel's dates are written.
    """
    return tuple(_without_effect(target, panel, form))


def _without_effect(target: Target, panel: Panel, form: str) -> Iterator[str]:
    first, last = (day.strftime(form) for day in panel.dates[[0, -1]])
    for each in _dated(target):
        past = panel.known[each.column_name][0, : len(panel.dates)]
        told = f"target {target.name!r}: intervention {each.name!r} ({each.kind} from {each.start})"
        if each.kind == "hold" and not past.any():
            yield f"{told} holds no figure of {first} to {last}"
        elif each.kind != "hold" and np.ptp(past) == 0:
            yield f"{told} changes no figure of {first} to {last}; its effect cannot be estimated and is not forecast"
    answering = default_members(panel.period) if target.model == "auto" else (target.model,)
    if target.interventions and not any(models.get(name).capability.uses_regressors for name in answering):
        yield (
            f"target {target.name!r}: model {target.model} does not use its interventions; they change only what "
            "other candidates are worth"
        )


def _dated(target: Target) -> list[Intervention]:
    return [Intervention(each.name, each.kind, each.start, each.end) for each in target.interventions]
