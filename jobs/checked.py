"""Everything that can be checked before a run: every fault of config and data at once, and what there is of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast.errors import SendForecastError
from forecast.sources.faults import faults_of
from forecast.sources.observations import Reading
from jobs.ehc_inputs import ehc_job, read_ehc
from jobs.inputs import read_source, series_of, target_jobs
from jobs.speech_language_inputs import SpeechLanguageData, read_speech_language, speech_language_job

if TYPE_CHECKING:
    from jobs.config import RunConfig


@dataclass(frozen=True)
class Checked:
    """What `check_everything` found: every fault of the data, and what there is of it."""

    faults: list[SendForecastError]
    figures: dict[str, int]
    series: int
    warnings: list[str]


def check_everything(config: RunConfig) -> Checked:
    """Read every source and lay out every target, going on after a fault so that all are found at once."""
    faults: list[SendForecastError] = []
    readings: dict[str, Reading] = {}
    for name in series_of(config):
        try:
            readings[name] = read_source(config, name)
        except SendForecastError as error:
            faults += faults_of(error)
    series = 0
    warnings = [warning for reading in readings.values() for warning in reading.warnings]
    for target in config.targets:
        if target.data in readings:
            try:
                jobs = target_jobs(config, target, readings[target.data].observations)
                series += sum(len(job.panel.ids) for job in jobs)
                warnings += dict.fromkeys(warning for job in jobs for warning in job.warnings)
            except SendForecastError as error:
                faults += faults_of(error)
    if config.ehc is not None and {config.ehc.data, config.ehc.monthly or config.ehc.data} <= readings.keys():
        try:
            data = read_ehc(config, readings)
            warnings += data.warnings if data else ()
            ehc_job(config, data)
        except SendForecastError as error:
            faults += faults_of(error)
    speech = None
    if config.speech_language is not None and config.speech_language.waiting_list in readings:
        try:
            speech = read_speech_language(config, readings)
            warnings += speech.warnings if speech else ()
            speech_language_job(config, speech)
        except SendForecastError as error:
            faults += faults_of(error)
    return Checked(
        faults=faults,
        figures=figures_of(config, readings, speech),
        series=series,
        warnings=warnings,
    )


def figures_of(config: RunConfig, readings: Mapping[str, Reading], speech: SpeechLanguageData | None) -> dict[str, int]:
    """Count the figures that are visible, by entry under data."""
    found = {name: len(reading.observations) for name, reading in readings.items()}
    if config.speech_language and config.speech_language.referrals and speech and speech.log:
        found[config.speech_language.referrals] = len(speech.log.frame)
    return found
