"""What MLflow keeps of the projection from request to plan: settings, a few figures by year, and a model card."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.model_card import model_card

if TYPE_CHECKING:
    import pandas as pd

    from jobs.tracking_metrics import Reading
    from jobs.tracking_night import Night

EHC = "ehc"
EHC_TABLES = ("ehc", "ehc_baseline")
MEASURES = ("requests", "plans_issued", "timeliness_20_week", "backlog", "caseload")
CARD = "model_card.md"
NOTE = """From request to plan. Metrics are medians of the area named, by calendar year (the step): requests, plans \
issued, plans within 20 weeks in per cent, assessments waiting at the end of the year, and the caseload in January; \
`..._without_overrides` where something is overridden. `adjustment_percent` is how far, by that January, the caseload \
lies above what following ages alone comes to, in per cent of that, without overrides. The model card says what it \
rests on."""


def record_ehc(night: Night, folder: Path, scratch: Path, *, parent: str) -> None:
    """Record the projection of a run folder as a child run of the night.

    Parameters
    ----------
    night : Night
    folder : Path
        Run folder with `ehc.parquet`.
    scratch : Path
        Empty folder for the artefacts.
    parent : str
        MLflow's id of the run of the night.
    """
    import pandas as pd

    entry = night.manifest["ehc"]
    tables = {name: folder / f"{name}.parquet" for name in EHC_TABLES}
    shown = {name: pd.read_parquet(path) for name, path in tables.items() if path.exists()}
    local = night.withheld and "local" in entry["provenance"]
    child = night.start(EHC, EHC, parent=parent, note=NOTE)
    if not night.withheld:
        for name in shown:
            shutil.copy2(tables[name], scratch)
        (scratch / CARD).write_text(model_card(night.manifest, shown[EHC]), encoding="utf-8")
    night.log(
        child,
        () if local else tuple(_readings(entry, shown)),
        params=_params(night.manifest, named=not local),
        extra={"seconds": float(night.manifest["steps"]["ehc"])},
        artifacts=scratch,
    )
    night.end(child)


def _params(manifest: Mapping[str, Any], *, named: bool) -> dict[str, str]:
    entry = manifest["ehc"]
    areas = [area["area_name"] for area in entry["areas"]]
    return {
        "area": areas[0] if named else "not named",
        "n_areas": str(len(areas)),
        "until": str(entry["until"]),
        "last_year_of_data": str(entry["last_flow"]),
        "n_overrides": str(len(entry["overrides"])),
        **{name: str(entry["settings"][name]) for name in ("profile", "requests", "caseload")},
        **{name: str(manifest[name]) for name in ("as_of", "seed", "n_paths", "package_version", "data_digest")},
    }


def _readings(entry: Mapping[str, Any], shown: Mapping[str, pd.DataFrame]) -> Iterator[Reading]:
    """Go through the medians of the first area by year, and the size of the adjustment."""
    from jobs.tracking_metrics import Reading

    code = entry["areas"][0]["area_code"]
    for name, suffix in zip(EHC_TABLES, ("", "_without_overrides"), strict=True):
        if name not in shown:
            continue
        rows = shown[name]
        rows = rows[rows["area_code"].eq(code) & rows["by"].eq("") & rows["freq"].eq("YS")]
        rows = rows[rows["measure"].isin(MEASURES) & rows["status"].ne("published")].dropna(subset="median")
        for measure, ds, median in rows[["measure", "ds", "median"]].itertuples(index=False):
            yield Reading(f"{measure}{suffix}", float(median), int(ds.year))
    for row in entry["adjustment"].get(code, ()):
        yield Reading("adjustment_percent", float(row["percent"]), int(row["year"]))
