"""The config of a job: what to read, forecast, record and publish, checked once at the door.

`load_config` reads YAML into a frozen `RunConfig` or raises one `SpecError` that lists every fault as
`file:line:column: path: what is wrong (did you mean ...?)`. `python -m jobs.config` prints the JSON schema.
"""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError

from forecast.errors import SpecError
from jobs.config_checks import Problem, contradictions, field_problems, suggestion
from jobs.config_ehc import Ehc
from jobs.config_ehc import keys_at as ehc_keys_at
from jobs.config_fields import (
    BUNDLED,
    DEFAULT_CANDIDATES,
    SQLITE,
    Areas,
    DataPath,
    Day,
    Levels,
    Many,
    Measure,
    Name,
    Some,
    TrackingUri,
    Words,
)
from jobs.config_interventions import InterventionSpec, intervention_problems
from jobs.config_sources import COLUMNS, SOURCES, SeriesSource, SltReferrals, Source, Spec
from jobs.config_speech_language import SpeechLanguage
from jobs.config_speech_language import keys_at as speech_language_keys_at
from jobs.yaml_reader import Fault, YamlFile, YamlPath, path_text, read_yaml


class Target(Spec):
    """What to forecast."""

    name: Name
    data: Words
    """An entry under data."""
    measures: Some[Measure]
    areas: Areas
    """Areas shown on the page, by name or code; `all` shows every area, region and England."""
    pool: Literal["all", "areas"] = "all"
    """The series that pooled models learn from: every area of the data, or only those shown."""
    horizon: Annotated[int, Field(ge=1, le=60)]
    """Periods ahead."""
    origins: Annotated[int, Field(ge=1, le=36)] = 6
    """Past dates from which the models are tried (rolling-origin evaluation)."""
    model: Words = "auto"
    """A model name, or `auto`: the library's own combination, whose members suit each kind of series."""
    candidates: Some[Words] = DEFAULT_CANDIDATES
    """Models compared with it in the evaluation; `auto` is the same whichever they are."""
    slow_scope: Literal["neighbours", "all"] = "neighbours"
    """Where models that are fitted one area at a time (theta, ets, arima, prophet, structural, count_regression) are
    tried: the areas shown and their neighbours, or everywhere."""
    thresholds: dict[str, Annotated[float, Field(ge=0)]] = Field(default={})
    """By measure: the page gives the chance of more than this."""
    interventions: Many[InterventionSpec] = ()
    """Dated changes, told to the models that can use them: arima, count_regression, prophet, structural."""


class Tracking(Spec):
    """Where MLflow keeps the runs."""

    enabled: bool = True
    uri: TrackingUri = "sqlite:///mlflow.db"
    """sqlite:///FILE, relative to the config file, or the address of a server."""
    artifacts: DataPath = "mlartifacts"
    """Folder of artefacts beside a sqlite store; a server keeps its own."""
    timeout: Annotated[int, Field(ge=1, le=60)] = 10
    """Seconds that tracking may cost a run in all when MLflow does not answer."""


class Output(Spec):
    """Folders for results, relative to the config file."""

    runs: DataPath = "runs"
    releases: DataPath = "releases"


class Publish(Spec):
    """What happens after a run."""

    after_run: bool = False
    """Make a release from each new run."""


class RunConfig(Spec):
    """A job: where it reads, what it forecasts, where results go."""

    name: Name
    """Letters, digits, - and _; also the MLflow experiment."""
    title: Words
    """Heading of the page."""
    as_of: Day
    """No figure that became available later is read; today when left out."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1
    n_paths: Annotated[int, Field(ge=100, le=10_000)] = 1000
    """Sample paths of a forecast."""
    levels: Levels = (80, 95)
    """Interval levels in per cent."""
    data: Annotated[dict[Name, Source], Field(min_length=1)]
    """Sources by a name of your choice."""
    targets: Some[Target]
    ehc: Ehc = None
    """Requests, the 20 weeks from request to plan, and the caseload, under dated assumptions."""
    speech_language: SpeechLanguage = None
    """Referrals to speech and language therapy, the waiting list and the therapists it takes, option by option."""
    tracking: Tracking = Tracking()
    output: Output = Output()
    publish: Publish = Publish()

    _file: Path = PrivateAttr(default=Path("config.yaml"))
    _below: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path:
        """The config file, absolute."""
        return self._file

    @property
    def runs_dir(self) -> Path:
        """Folder of the runs, absolute."""
        return self._result("runs", self.output.runs)

    @property
    def releases_dir(self) -> Path:
        """Folder of the releases, absolute."""
        return self._result("releases", self.output.releases)

    @property
    def tracking_uri(self) -> str:
        """The MLflow tracking URI, a sqlite file made absolute."""
        if not self.tracks_locally:
            return self.tracking.uri
        return SQLITE + self._result("mlflow.db", self.tracking.uri.removeprefix(SQLITE)).as_posix()

    @property
    def artifacts_dir(self) -> Path | None:
        """Folder of MLflow artefacts, absolute; None when a server keeps them."""
        return self._result("mlartifacts", self.tracking.artifacts) if self.tracks_locally else None

    @property
    def tracks_locally(self) -> bool:
        """Whether the MLflow store is a sqlite file."""
        return self.tracking.uri.startswith(SQLITE)

    def series(self, name: str) -> SeriesSource:
        """Entry under data that gives series to forecast: any but a referral log.

        Raises
        ------
        SpecError
            If it is a referral log.
        """
        source = self.data[name]
        if isinstance(source, SltReferrals):
            raise SpecError(f"data {name!r}: is read for speech_language alone. Name an entry of another source.")
        return source

    def data_paths(self, name: str) -> tuple[Path, ...]:
        """Files or folders of an entry under data, absolute; none for bundled data."""
        path = self.data[name].path
        written = (path,) if isinstance(path, str) else path
        return () if written == (BUNDLED,) else tuple(self._absolute(each) for each in written)

    def with_output(self, folder: Path) -> Self:
        """Return the same config with runs, releases and a local MLflow store below a folder.

        `resolved()` and so the run id stay the same.
        """
        copy = self.model_copy()
        copy._below = folder.absolute()
        return copy

    def resolved(self) -> dict[str, object]:
        """Return the config as JSON-able values with defaults filled in and paths as written.

        The as-of date is left out: it decides which rows are visible, and a run is the same run when
        nothing new has become visible since.
        """
        absent = {name for name in SECTIONS if getattr(self, name) is None}
        return self.model_dump(mode="json", by_alias=True, exclude={"as_of", *absent})

    def _result(self, name: str, written: str) -> Path:
        return self._below / name if self._below else self._absolute(written)

    def _absolute(self, written: str) -> Path:
        return (self._file.parent / Path(written).expanduser()).resolve()


SECTIONS = ("ehc", "speech_language")
_BLOCKS: dict[str, type[Spec]] = {"targets": Target, "tracking": Tracking, "output": Output, "publish": Publish}


def load_config(path: Path, *, as_of: date | None = None, today: date) -> RunConfig:
    """Read and check a config file.

    Parameters
    ----------
    path : Path
        A YAML file.
    as_of : date, optional
        Replaces the `as_of` of the file.
    today : date
        Used when neither gives `as_of`; a later `as_of` is refused.

    Returns
    -------
    RunConfig

    Raises
    ------
    SpecError
        Listing every fault, one a line in file order.
    """
    if as_of and as_of > today:
        raise SpecError(f"as-of {as_of}: is after today ({today}). Give today or an earlier day.")
    read = read_yaml(path)
    config, problems = _checked(read, today=today) if read.complete else (None, [])
    known = {(fault.line, fault.column) for fault in read.faults}
    faults = list(read.faults)
    for problem in problems:
        place = read.place(problem.path, key=problem.at_key)
        if place not in known:
            faults.append(Fault(*place, path_text(problem.path), problem.message))
    if faults or config is None:
        raise SpecError("\n".join(fault.render(path) for fault in sorted(faults)))
    config._file = path.absolute()
    return config.model_copy(update={"as_of": as_of}) if as_of else config


def _checked(read: YamlFile, *, today: date) -> tuple[RunConfig | None, list[Problem]]:
    from forecast import models
    from forecast.sources import nhs_waiting_list, sen2_schema

    able = [name for name in models.names() if models.get(name).capability.uses_regressors]
    measures = {
        "sen2_release": tuple(sen2_schema.period_of_measure()),
        "nhs_waiting_list": tuple(nhs_waiting_list.MEASURES.values()),
    }
    config: RunConfig | None = None
    problems: list[Problem] = []
    data = {"as_of": today, **read.data}
    try:
        config = RunConfig.model_validate(data, context={"today": today})
    except ValidationError as error:
        problems.extend(field_problems(error, data, keys_at=_keys_at))
    problems.extend(
        contradictions(
            data,
            measures=measures,
            rates=sen2_schema.common().percent,
            models=models.names(),
            default_candidates=DEFAULT_CANDIDATES,
        )
    )
    problems.extend(intervention_problems(data, able=able, default_candidates=DEFAULT_CANDIDATES))
    if "ehc" in data:
        from jobs.config_ehc_checks import ehc_problems

        problems.extend(ehc_problems(data))
    if "speech_language" in data:
        from jobs.config_speech_language_checks import speech_language_problems

        problems.extend(speech_language_problems(data, models=models.names()))
    return config, problems


def _keys_at(path: YamlPath, source: str | None) -> list[str]:
    match path:
        case ("data", _, "columns"):
            spec: type[Spec] = COLUMNS[source or ""]
        case ("data", _):
            spec = SOURCES[source or ""]
        case ("targets", _, "interventions", *_):
            spec = InterventionSpec
        case ("ehc", *below):
            return ehc_keys_at(below)
        case ("speech_language", *below):
            return speech_language_keys_at(below)
        case (first, *_):
            spec = _BLOCKS[str(first)]
        case _:
            spec = RunConfig
    return list(spec.model_fields)


def json_schema() -> dict[str, object]:
    """Return the JSON schema of a config file, dates as ISO text."""
    schema = RunConfig.model_json_schema()
    schema["required"].remove("as_of")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def shipped_config(name: str) -> Path:
    """Return the path of a config that ships with the package, in a wheel or a checkout, such as `england`.

    Raises
    ------
    SpecError
        If none of that name ships.
    """
    installed = Path(str(files("jobs"))) / "_configs"
    folder = installed if installed.is_dir() else installed.parent.parent / "configs"
    known = {file.stem: file for file in sorted(folder.glob("*.yaml"))}
    if name not in known:
        raise SpecError(f"config {name!r}: does not ship{suggestion(name, known)}. Give one of these or a file.")
    return known[name]


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2))
