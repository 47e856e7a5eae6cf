"""The table every source returns, and the way from it to a `Panel`.

An observation is one published or local figure. It keeps why it is missing or must not be used
(`reason`), what a reader should know about it (`note`), and the day it became available, so that a
forecast made as of an earlier day never sees it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecast.errors import InputError
from forecast.panel import Panel

OBSERVATION_COLUMNS = (
    "measure",
    "geographic_level",
    "area_code",
    "area_name",
    "region_code",
    "ds",
    "y",
    "reason",
    "note",
    "available",
    "provenance",
    "source",
)
PROVENANCES = ("published", "synthetic", "local")


@dataclass(frozen=True)
class SourceNote:
    """Where figures come from and on what terms.

    Attributes
    ----------
    id : str
        Short name that observations carry in `source`.
    title, publisher, licence : str
        As the publisher states them.
    released : str
        ISO date of the release, or "" when the files do not say.
    provenance : {"published", "synthetic", "local"}
        Decides what may be published and how it is labelled.
    digest : str
        SHA-256 over the files that were read.
    """

    id: str
    title: str
    publisher: str
    licence: str
    released: str
    provenance: str
    digest: str


@dataclass(frozen=True)
class Reading:
    """What a source returned: observations, the notes of their sources, and warnings for the manifest."""

    observations: pd.DataFrame
    sources: tuple[SourceNote, ...]
    warnings: tuple[str, ...] = ()


def checked(observations: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """Return observations with the standard columns in order, or refuse duplicates.

    Parameters
    ----------
    observations : DataFrame
        At least `OBSERVATION_COLUMNS`.
    where : str
        File or folder named in the error.

    Raises
    ------
    InputError
        If two rows give the same measure, area and date.
    """
    frame = observations[list(OBSERVATION_COLUMNS)]
    key = ["measure", "area_code", "ds"]
    repeated = frame[frame.duplicated(key, keep=False)]
    if len(repeated):
        first = repeated.iloc[0]
        raise InputError(
            f"{where}: {len(repeated)} rows repeat a figure, first {first['measure']}/{first['area_code']} at "
            f"{first['ds']:%Y-%m-%d}; one row a measure, area and date is allowed. Remove or add up the repeats."
        )
    return frame.sort_values(key).reset_index(drop=True)


def visible(observations: pd.DataFrame, as_of: pd.Timestamp | str) -> pd.DataFrame:
    """Keep the rows that were available on a day: no look-ahead."""
    return observations[observations["available"] <= pd.Timestamp(as_of)].reset_index(drop=True)


def usable(observations: pd.DataFrame) -> pd.Series:
    """Return `y` where it may be used and NaN where a reason forbids it; `low` and `k` round to zero."""
    reason = observations["reason"]
    y = observations["y"].where(reason.eq(""))
    return y.mask(reason.isin(["low", "k"]), 0.0)


def panel_of(observations: pd.DataFrame, *, freq: str, groups: Sequence[str] = ("measure",)) -> Panel:
    """Make a panel of one geographic level from observations.

    Parameters
    ----------
    observations : DataFrame
        Rows of one geographic level: bottom areas and published aggregates never share a panel.
    freq : {"YS", "QS", "MS", "W-MON"}
        Period of the figures.
    groups : sequence of str, default ("measure",)
        Key columns to pool over.

    Returns
    -------
    Panel
        `unique_id` is `<measure>/<area_code>`; keys are measure, area_code and region_code. Series with
        no usable figure are kept out.
    """
    levels = observations["geographic_level"].unique()
    if len(levels) > 1:
        raise InputError(
            f"observations: levels {sorted(levels)} in one panel; areas and their aggregates would be counted "
            "twice. Make one panel a geographic_level."
        )
    frame = pd.DataFrame(
        {
            "unique_id": observations["measure"] + "/" + observations["area_code"],
            "ds": observations["ds"],
            "y": usable(observations),
            "measure": observations["measure"],
            "area_code": observations["area_code"],
            "region_code": observations["region_code"],
        }
    )
    known = frame.groupby("unique_id")["y"].transform("count") > 0
    return Panel.from_frame(frame[known], freq=freq, groups=list(groups))


def digest_files(paths: Iterable[Path]) -> str:
    """SHA-256 over file names and contents, in name order."""
    total = hashlib.sha256()
    for path in sorted(paths, key=lambda p: p.name):
        total.update(path.name.encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
