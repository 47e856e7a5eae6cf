"""What the projection takes for granted: every override, what it changes, the settings, and notes."""

from __future__ import annotations

from collections.abc import Mapping

from forecast.publish.ehc.people import Years
from forecast.publish.ehc.run import AreaFigures, EhcRun
from forecast.publish.ehc.words import SETTINGS, SIZES, kind, override_dates, override_size
from forecast.publish.view import Fact, Group, Part, Row, Table, table
from forecast.publish.words import number, percent_change

CHANGED = ("requests", "refused", "plans_issued", "timeliness_20_week", "backlog", "ceased", "caseload")
WORTH_TELLING = 0.5
NOTES_SHOWN = 12


def assumed(ehc: EhcRun, area: AreaFigures, name: str, years: Years, *, base: AreaFigures | None, label: str) -> Part:
    """List the overrides, each with date, size and reason, and what they change together.

    Parameters
    ----------
    ehc : EhcRun
    area : AreaFigures
    name : str
    years : Years
    base : AreaFigures or None
        The area without overrides, on the same paths.
    label : str
        Behind captions.
    """
    if not ehc.overrides:
        return Part(
            title="What was assumed",
            sentences=("Nothing was overridden: rates and shares carry on as the published figures have them.",),
            folded=_settings(ehc, name, label),
        )
    rows = tuple(_override(override) for override in ehc.overrides)
    columns = ("What", "When", "Ages", "Size", "Why")
    tables = [table(f"Overrides{label}", columns, rows, words=True)]
    sentences = ["The projection differs from what published figures alone would give by these overrides."]
    if base is not None and (effect := _effect(area, base, name, years, _shown(ehc, years), label)):
        tables.append(effect)
        sentences.append(_caseload(area, base, years))
    return Part(
        title="What was assumed",
        sentences=tuple(filter(None, sentences)),
        tables=tuple(tables),
        folded=_settings(ehc, name, label),
        remarks=("Differences are of middle figures (medians), over the same simulated futures.",),
    )


def how_made(ehc: EhcRun | None) -> tuple[Fact, ...]:
    """Say how the projection from request to plan is made; nothing if the run has none."""
    if ehc is None:
        return ()
    return (
        Fact(
            "From request to plan",
            "Requests follow England's path and the area's own deviation from it. Each request then goes through the "
            "stages: the decision, the assessment, the plan, at the rates and in the time the area's published figures "
            "show. The caseload is carried from January to January by single year of age: new plans come in, plans "
            "cease at rates that depend on age, and its total is brought towards a forecast of the caseload as a "
            "whole; how far, in per cent of what the ages alone come to without overrides, is shown as the adjustment. "
            "All stages are worked out on the same simulated futures, and a range is read from their sums: middle "
            "figures of parts do not add up to that of the whole.",
        ),
    )


def notes(ehc: EhcRun, code: str) -> Part | None:
    """Return what to know about an area's figures."""
    told = ehc.notes.get(code, ())
    if not told:
        return None
    more = tuple(Row(line, ()) for line in told[NOTES_SHOWN:])
    return Part(
        title="What to know about these figures",
        remarks=told[:NOTES_SHOWN],
        folded=(table(f"{len(more)} more notes", ("Note",), more, words=True),) if more else (),
    )


def _override(override: Mapping[str, object]) -> Row:
    what = str(override["what"])
    reason = str(override["reason"] or "").strip()
    text = (override_dates(override), str(override["ages"] or "all"), override_size(override), reason or "not given")
    return Row(SIZES.get(what, what.replace("_", " ")), text)


def _shown(ehc: EhcRun, years: Years) -> list[int]:
    """Return the first whole year with an override, that of the headline and the last."""
    starts = [str(override["start"]) for override in ehc.overrides]
    first = min(int(start[:4]) + (not start.endswith("-01-01")) if start else years.flow + 1 for start in starts)
    return sorted({min(max(first, years.flow + 1), years.end), years.key, years.end})


def _januaries(shown: list[int], years: Years) -> list[int]:
    """Return when a stock shows what flows changed: the January after the first, of the headline and the last one."""
    return sorted({shown[0] + 1, years.january, years.last})


def _effect(
    area: AreaFigures, base: AreaFigures, name: str, years: Years, shown: list[int], label: str
) -> Table | None:
    """Return medians with and without the overrides, for the measures that they move."""
    groups = []
    for measure in CHANGED:
        rows, moved = [], False
        for year in _januaries(shown, years) if kind(measure).stock else shown:
            with_, without = area.at(measure, year), base.at(measure, year)
            if with_ and without:
                difference = with_.median - without.median
                moved = moved or abs(difference) >= WORTH_TELLING
                sign = "%" if kind(measure).rate else ""
                share = "" if sign else percent_change(with_.median, without.median)
                text = (number(without.median) + sign, number(with_.median) + sign, _signed(difference), share)
                rows.append(Row(str(year), text))
        if moved:
            groups.append(Group(_heading(measure), tuple(rows)))
    columns = ("Year", "Without overrides", "With overrides", "Difference", "In per cent")
    return Table(f"What the overrides change, {name}{label}", columns, tuple(groups)) if groups else None


def _heading(measure: str) -> str:
    return f"{kind(measure).title}{', January' if kind(measure).stock else ''}"


def _signed(value: float) -> str:
    whole = round(value)
    return f"{whole:+,}".replace("-", "−") if whole else "0"


def _caseload(area: AreaFigures, base: AreaFigures, years: Years) -> str:
    with_, without = area.at("caseload", years.january), base.at("caseload", years.january)
    if not with_ or not without:
        return ""
    more = round(with_.median - without.median)
    if not more:
        return f"They leave the caseload of January {years.january} as it is."
    return (
        f"Together they make the caseload of January {years.january} {abs(more):,} plans "
        f"{'larger' if more > 0 else 'smaller'}: {number(with_.median)} instead of {number(without.median)}."
    )


def _settings(ehc: EhcRun, name: str, label: str) -> tuple[Table, ...]:
    rows = tuple(Row(SETTINGS.get(key, _plain(key)), (_plain(value),)) for key, value in ehc.settings.items())
    return (
        (table(f"Settings of the projection, {name}{label}", ("Setting", "Value"), rows, words=True),) if rows else ()
    )


def _plain(text: str) -> str:
    return text.replace("_", " ")
