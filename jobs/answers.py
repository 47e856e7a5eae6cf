"""What each command answers with `--json`; `python -m jobs.answers` prints the schema."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Base of the answers: unknown keys refused, so that the schema is the whole truth."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ReleaseAnswer(Answer):
    """A release, as `publish` and `run` made or found it."""

    command: Literal["publish"] = "publish"
    release_id: str
    run_id: str
    status: Literal["published", "unchanged", "would_publish"]
    page: str
    """Path of index.html."""
    warnings: list[str] = []


class RunAnswer(Answer):
    """A run."""

    command: Literal["run"] = "run"
    run_id: str
    folder: str
    status: Literal["ok", "model_failed", "planned"]
    """`planned` with --dry-run."""
    new: bool
    """False when nothing had changed since the run that stands."""
    as_of: str
    seconds: dict[str, float]
    failed: list[str]
    """Series a model failed on."""
    warnings: list[str]
    tracking: str
    """recorded, skipped, unreachable or off."""
    release: ReleaseAnswer | None = None


class ValidateAnswer(Answer):
    """Config and data, checked."""

    command: Literal["validate"] = "validate"
    config: str
    valid: bool
    faults: list[str]
    figures: dict[str, int]
    """Figures visible at the as-of date, by entry under data."""
    series: int
    warnings: list[str]


class StatusAnswer(Answer):
    """What stands."""

    command: Literal["status"] = "status"
    run_id: str | None
    as_of: str | None
    created: str | None
    run_status: str | None
    release_id: str | None
    page: str | None
    age_days: int | None
    """Days from the as-of date of the latest run to today."""
    stale: bool


class ScoreRow(Answer):
    """Accuracy of one model at one horizon."""

    target: str
    measure: str
    geographic_level: str
    model: str
    horizon: int
    wape: float | None
    bias: float | None
    mase: float | None
    pinball: float | None
    coverage_80: float | None
    coverage_95: float | None
    n_series: int
    n_origins: int


class EvaluateAnswer(Answer):
    """Accuracy by rolling-origin evaluation; null is "not measured"."""

    command: Literal["evaluate"] = "evaluate"
    run_id: str
    cells: Literal["common", "all"]
    """common: at each horizon, the past forecasts that all measured models made; all: each model's own."""
    scores: list[ScoreRow]


class CompareRow(Answer):
    """One model against the reference at one horizon."""

    target: str
    measure: str
    geographic_level: str
    horizon: int
    model: str
    reference: str
    wape: float | None
    wape_reference: float | None
    difference: float | None
    lo_95: float | None
    hi_95: float | None
    n_series: int
    n_origins: int
    verdict: Literal["better", "worse", "noise", "not measured"]


class CompareAnswer(Answer):
    """Models against a reference, paired over series and origins."""

    command: Literal["compare"] = "compare"
    run_id: str
    comparisons: list[CompareRow]


class ModelRow(Answer):
    """A model of the registry."""

    name: str
    summary: str
    min_history: int
    handles_missing: bool
    pooled: bool
    slow: bool


class ModelsAnswer(Answer):
    """The models of the registry."""

    command: Literal["models"] = "models"
    models: list[ModelRow]


class InitAnswer(Answer):
    """A config that was written, or would be."""

    command: Literal["init"] = "init"
    path: str
    written: bool


class AnyAnswer(Answer):
    """Holds every answer, for the schema."""

    answer: (
        RunAnswer
        | ReleaseAnswer
        | ValidateAnswer
        | StatusAnswer
        | EvaluateAnswer
        | CompareAnswer
        | ModelsAnswer
        | InitAnswer
    )


def json_schema() -> dict[str, object]:
    """Return the JSON schema of all answers: one of its `$defs` by the value of `command`."""
    schema = AnyAnswer.model_json_schema()
    union = schema["properties"]["answer"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **union, "$defs": schema["$defs"]}


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2))
