"""Norms of a service: what a child's care takes and what a therapist can give, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forecast.errors import SpecError
from forecast.panel import FloatArray
from forecast.speech_language.norm_kinds import NEEDS, NO_DEFAULT, NORMS, NormKind, faults, needed

if TYPE_CHECKING:
    from forecast.speech_language.bands import WaitBands

__all__ = ["NORMS", "NO_DEFAULT", "Norm", "NormKind", "Norms", "faults", "needed", "weekly"]

Value = float | Mapping[str, float | Mapping[str, float]]

WEEKS_A_MONTH = 365.25 / 7 / 12
LISTED = ("name", "title", "value", "unit", "source")


@dataclass(frozen=True)
class Norm:
    """One norm of a service.

    Attributes
    ----------
    name : str
        A key of NORMS.
    value : float or mapping
        A number; by tier; by tier and age band; by wait band; or by need.
    source : str
        Where the figure comes from.
    """

    name: str
    value: Value
    source: str


@dataclass(frozen=True, eq=False)
class Norms:
    """Norms of a service.

    Attributes
    ----------
    each : mapping of name to Norm
    """

    each: Mapping[str, Norm]

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], *, ehc: bool) -> Norms:
        """Check norms as a config gives them.

        Parameters
        ----------
        given : mapping of name to {"value": ..., "source": ...}
        ehc : bool
            Whether EHC demand brings work; without it the norms about it may be left out, and are not kept.

        Raises
        ------
        SpecError
            Norms are missing (all of them are named), not known, without a source or impossible; all that is wrong is
            said.
        """
        if found := [message for _, message in faults(given, ehc=ehc)]:
            raise SpecError("\n".join(found))
        return cls({name: Norm(name, _copied(given[name]["value"]), given[name]["source"]) for name in needed(ehc=ehc)})

    def number(self, name: str) -> float:
        """Return a norm that is one number.

        Raises
        ------
        SpecError
            It is told by tier, wait band or need.
        """
        value = self.each[name].value
        if isinstance(value, Mapping):
            raise SpecError(f"norm {name!r}: given for {', '.join(value)}, where one number is needed. Give one.")
        return value

    def by_cell(self, name: str, cells: pd.DataFrame) -> FloatArray:
        """Return a norm for each group of children.

        Parameters
        ----------
        name : str
        cells : DataFrame
            tier and age_band, a row a cell.

        Returns
        -------
        ndarray (C,)

        Raises
        ------
        SpecError
            It is told by tier or age band, and not for one that children are counted in.
        """
        value = self.each[name].value
        if not isinstance(value, Mapping):
            return np.full(len(cells), value)
        pairs = list(zip(cells["tier"].astype(str), cells["age_band"].astype(str), strict=True))
        found = {pair: _of_cell(value, *pair) for pair in dict.fromkeys(pairs)}
        lacking = [", ".join(pair) if pair[0] in value else pair[0] for pair, figure in found.items() if figure is None]
        if lacking:
            where = " nor ".join(dict.fromkeys(lacking))
            raise SpecError(
                f"norm {name!r}: no figure for {where}, where children are counted; given are {_said(value)}. Add it, "
                "or give one number for all."
            )
        return np.array([found[pair] for pair in pairs], dtype=np.float64)

    def by_band(self, name: str, bands: WaitBands) -> FloatArray:
        """Return a norm for each wait band (B,), in its own unit; `weekly` makes a week's share of a month's.

        Raises
        ------
        SpecError
            It is told by band, and its bands are not those of the list.
        """
        value, labels = self.each[name].value, bands.labels
        if not isinstance(value, Mapping):
            return np.full(len(labels), value)
        if set(value) != set(labels):
            raise SpecError(
                f"norm {name!r}: given for wait bands {', '.join(value)}; those of the list are {', '.join(labels)}. "
                "Give one number for each, or one for all."
            )
        return np.array([value[label] for label in labels], dtype=np.float64)

    def by_need(self, name: str) -> dict[str, float]:
        """Return a norm for each need in NEEDS.

        Raises
        ------
        SpecError
            It is told otherwise.
        """
        value = self.each[name].value
        found = {need: _of_cell(value, need, "") for need in NEEDS} if isinstance(value, Mapping) else {}
        told = {need: figure for need, figure in found.items() if figure is not None}
        if len(told) < len(NEEDS):
            raise SpecError(f"norm {name!r}: not given for each of {', '.join(NEEDS)}. Give a number for each.")
        return told

    def listed(self) -> pd.DataFrame:
        """List every norm.

        Returns
        -------
        DataFrame
            name, title, value (in words, such as "targeted 2; specialist 0-4 3, 5-10 2.5"), unit, source.
        """
        rows = [
            (name, NORMS[name].title, _said(norm.value), NORMS[name].unit, norm.source)
            for name, norm in self.each.items()
        ]
        return pd.DataFrame(rows, columns=list(LISTED))


def weekly(share_a_month: FloatArray) -> FloatArray:
    """Turn the share of those waiting who leave in a month into the share that leaves in a week.

    The same share every week comes to that of a month, of 365.25 / 7 / 12 weeks.

    Examples
    --------
    >>> weekly(np.array([0.0, 0.1])).round(4).tolist()
    [0.0, 0.0239]
    """
    return np.asarray(-np.expm1(np.log1p(-share_a_month) / WEEKS_A_MONTH))


def _copied(value: float | Mapping[Any, Any]) -> Any:
    """Copy of a value with text as keys."""
    if isinstance(value, Mapping):
        return {str(key): _copied(part) for key, part in value.items()}
    return float(value)


def _of_cell(value: Mapping[str, float | Mapping[str, float]], tier: str, age_band: str) -> float | None:
    """Figure of a tier and age band, if there is one."""
    found = value.get(tier)
    return found.get(age_band) if isinstance(found, Mapping) else found


def _said(value: Value) -> str:
    """Value in words."""
    if not isinstance(value, Mapping):
        return f"{value:,.10g}"
    inner = any(isinstance(part, Mapping) for part in value.values())
    return ("; " if inner else ", ").join(f"{key} {_said(part)}" for key, part in value.items())
