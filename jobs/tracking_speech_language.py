"""What MLflow keeps of a speech and language projection: settings, a few figures by month, answers, a model card."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.speech_language.service import AS_NOW
from jobs.speech_language_card import speech_language_card
from jobs.tracking_ehc import CARD

if TYPE_CHECKING:
    import pandas as pd

    from jobs.tracking_metrics import Reading
    from jobs.tracking_night import Night

SPEECH_LANGUAGE = "speech_language"
MEASURES = ("referrals", "waiting", "within_target", "wte_needed", "wte_in_post")
RANGE = ("median", "low", "high")
LONGEST_PARAM = 500
NOTE = """Speech and language: demand, waits and therapists. Metrics are medians of the provider named, by month; the \
step counts months ahead, 1 being the parameter `first`. `referrals`, children `waiting` at the end of the month, \
`within_target` in per cent of them, `wte_needed` and `wte_in_post`: of the service as it is under these names, under \
an option as `waiting.<option>`. `answer.<question>...` are the answers to what it would take, `target_chance` the \
share of futures in which the target is met in its month. The model card says what it rests on."""


def record_speech_language(night: Night, folder: Path, scratch: Path, *, parent: str) -> None:
    """Record the projection of a run folder as a child run of the night.

    Parameters
    ----------
    night : Night
    folder : Path
        Run folder with `speech_language.parquet`.
    scratch : Path
        Empty folder for the artefacts.
    parent : str
        MLflow's id of the run of the night.
    """
    import pandas as pd

    entry = night.manifest[SPEECH_LANGUAGE]
    path = folder / f"{SPEECH_LANGUAGE}.parquet"
    table = pd.read_parquet(path)
    local = night.withheld and "local" in entry["provenance"]
    child = night.start(SPEECH_LANGUAGE, SPEECH_LANGUAGE, parent=parent, note=NOTE)
    if not night.withheld:
        shutil.copy2(path, scratch)
        (scratch / CARD).write_text(speech_language_card(night.manifest, table), encoding="utf-8")
    night.log(
        child,
        () if local else (*_by_month(entry, table), *_answers(entry)),
        params=_params(night.manifest, named=not local),
        extra={"seconds": float(night.manifest["steps"][SPEECH_LANGUAGE])},
        artifacts=scratch,
    )
    night.end(child)


def _params(manifest: Mapping[str, Any], *, named: bool) -> dict[str, str]:
    """Return the settings; those of a service whose figures stay inside are not named."""
    entry = manifest[SPEECH_LANGUAGE]
    target = entry["target"]
    params = {
        "provider": entry["provider"]["area_name"] if named else "not named",
        "first": entry["first"],
        "last": entry["last"],
        "known_to": entry["known_to"],
        "referrals": "estimated from the published waiting list" if entry["proxy"] else "a log",
        "target": f"{100 * target['share']:g} % within {target['within_weeks']} weeks by {target['by']}",
        "n_options": str(len(entry["options"]) - 1),
        **{name: str(manifest[name]) for name in ("as_of", "seed", "n_paths", "package_version", "data_digest")},
    }
    if named:
        params["ehc_area"] = entry["ehc_area"] or "none"
        params |= {name: str(text)[:LONGEST_PARAM] for name, text in entry["settings"].items()}
        params |= {f"norm.{norm['name']}": str(norm["value"])[:LONGEST_PARAM] for norm in entry["norms"]}
    return params


def _by_month(entry: Mapping[str, Any], table: pd.DataFrame) -> Iterator[Reading]:
    """Go through the medians of the service as it is and under each option."""
    from jobs.tracking_metrics import Reading

    rows = table[table["by"].eq("") & table["freq"].eq("MS") & table["status"].eq("projected")]
    rows = rows[rows["measure"].isin(MEASURES)].dropna(subset="median")
    first = int(entry["first"][:4]) * 12 + int(entry["first"][5:7])
    ahead = rows["ds"].dt.year * 12 + rows["ds"].dt.month - first + 1
    for measure, option, median, step in zip(rows["measure"], rows["option"], rows["median"], ahead, strict=True):
        yield Reading(f"{measure}{_suffix(option)}", float(median), int(step))


def _answers(entry: Mapping[str, Any]) -> Iterator[Reading]:
    """Go through the answers: each number under the words that lead to it."""
    from jobs.tracking_metrics import Reading

    for option in entry["options"]:
        met = option["by_target"]
        yield Reading(f"target_chance{_suffix(option['name'])}", float(met["chance"]))
    for words, value in _numbers(entry["answers"], "answer"):
        yield Reading(words, value)


def _numbers(value: Any, words: str) -> Iterator[tuple[str, float]]:
    """Yield each number of a nested mapping, with the keys that lead to it; the median under that of its range."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _numbers(below, words if key == RANGE[0] and set(RANGE) == set(value) else f"{words}.{key}")
    elif isinstance(value, int | float):
        yield words, float(value)


def _suffix(option: str) -> str:
    return "" if option == AS_NOW else f".{option}"
