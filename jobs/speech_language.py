"""The step of speech and language: project the service as it is and under each option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from forecast import speech_language
from forecast.errors import SendForecastError
from forecast.speech_language.outputs import worst
from jobs.speech_language_inputs import SpeechLanguageJob

if TYPE_CHECKING:
    from jobs.config import RunConfig
    from jobs.ehc import EhcResult


@dataclass(frozen=True)
class SpeechLanguageResult:
    """What the step leaves in the run folder.

    Attributes
    ----------
    table : DataFrame
        The projection's table: a row an option, measure, category and month.
    entry : mapping
        What the manifest says: the projection's own entry, with ehc_area, provenance and synthetic.
    """

    table: pd.DataFrame
    entry: Mapping[str, Any]


def project_service(job: SpeechLanguageJob, config: RunConfig, *, ehc: EhcResult | None) -> SpeechLanguageResult:
    """Project the service of the section.

    Parameters
    ----------
    job : SpeechLanguageJob
    config : RunConfig
    ehc : EhcResult or None
        What the step from request to plan left, with the projection of the area whose EHC demand brings work.

    Raises
    ------
    SpecError, InputError
        What the section asks for cannot be, for a reason that only shows when it is projected.
    """
    section, data = job.section, job.data
    rests_on = _provenance(job, ehc)
    try:
        made = speech_language.project(
            job.service,
            referrals=data.log.frame if data.log else None,
            waiting=data.waiting,
            provider=job.provider,
            ehc=ehc.kept[job.ehc_code] if ehc and job.ehc_code else None,
            months=section.months,
            model=section.model,
            provenance={what: worst(kinds) for what, kinds in rests_on.items()},
            n_paths=config.n_paths,
            seed=config.seed,
        )
    except SendForecastError as error:
        raise type(error)(f"{config.file.name}: speech_language: {error}") from error
    entry = {
        **made.entry(),
        "ehc_area": section.ehc_area or "",
        "provenance": sorted({kind for kinds in rests_on.values() for kind in kinds}),
        "synthetic": list(data.synthetic),
    }
    return SpeechLanguageResult(table=made.table(levels=config.levels), entry=entry)


def _provenance(job: SpeechLanguageJob, ehc: EhcResult | None) -> dict[str, list[str]]:
    """Return where the figures come from: of referrals, of the waiting list, and of EHC demand where it brings work."""
    waiting = sorted(job.data.waiting["provenance"].unique())
    log = job.data.log
    kinds = {"referrals": [log.provenance] if log else waiting, "waiting": waiting}
    return {**kinds, "ehc": list(ehc.entry["provenance"])} if ehc and job.ehc_code else kinds
