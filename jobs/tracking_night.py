"""The MLflow runs of one night: each is created, logged in one call a kind, and ended."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from jobs.tracking_metrics import Comparison, Reading

PREFIX = "send_forecast."
BATCH = 1000
DIGEST_LENGTH = 36
EXPLAINED = """Overall figures (`wape`, `mase`, `bias`, `pinball`, `coverage_80`, `coverage_95`) average these \
measures: {overall}. Each measure averages its geographic levels, on the past forecasts (series, origin, horizon) that \
every model measured on it has made, so that models can be set side by side. `..._all_cells` takes every forecast that \
the model made. What was tried from fewer than three origins is not measured and left out."""


@dataclass(frozen=True)
class Night:
    """What the runs of one night share.

    Attributes
    ----------
    client : mlflow.MlflowClient
    experiment : str
        Its id.
    manifest : mapping
        Of the run folder.
    history : DataFrame
        Of the run folder.
    compared : Comparison
    withheld : bool
        Whether no file may go to the store.
    """

    client: Any
    experiment: str
    manifest: Mapping[str, Any]
    history: pd.DataFrame
    compared: Comparison
    withheld: bool

    @property
    def started(self) -> int:
        """Milliseconds since 1970 at which the run was made."""
        return int(datetime.fromisoformat(self.manifest["created"]).timestamp() * 1000)

    def start(self, name: str, role: str, *, parent: str | None = None, note: str | None = None) -> str:
        """Create a run, explained by how models are compared or by a note of its own; return its id."""
        manifest, overall = self.manifest, ", ".join(self.compared.overall) or "none"
        tags = {
            f"{PREFIX}run_id": manifest["run_id"],
            f"{PREFIX}role": role,
            f"{PREFIX}config": manifest["name"],
            f"{PREFIX}status": manifest["status"],
            f"{PREFIX}provenance": ", ".join(manifest["provenance"]),
            f"{PREFIX}overall_measures": overall,
            f"{PREFIX}compared_on": "past forecasts that every measured model made",
            f"{PREFIX}tables": "kept in the run folder: local figures" if self.withheld else "recorded",
            "mlflow.note.content": note or EXPLAINED.format(overall=overall),
            "mlflow.source.name": "forecast run",
            "mlflow.source.type": "JOB",
        }
        if parent:
            tags["mlflow.parentRunId"] = parent
        made = self.client.create_run(self.experiment, start_time=self.started, tags=tags, run_name=name)
        return str(made.info.run_id)

    def log(
        self,
        run: str,
        readings: tuple[Reading, ...],
        *,
        params: Mapping[str, str],
        extra: Mapping[str, float],
        artifacts: Path,
    ) -> None:
        """Log everything of a run in one call a kind."""
        from mlflow.entities import DatasetInput, InputTag, Metric, Param

        metrics = [Metric(item.name, item.value, self.started, item.step) for item in readings]
        metrics += [Metric(name, value, self.started, 0) for name, value in extra.items() if math.isfinite(value)]
        self.client.log_batch(run, metrics[:BATCH], [Param(name, value) for name, value in params.items()])
        for at in range(BATCH, len(metrics), BATCH):
            self.client.log_batch(run, metrics[at : at + BATCH])
        context = [InputTag("mlflow.data.context", "evaluation")]
        self.client.log_inputs(run, datasets=[DatasetInput(self._dataset(), tags=context)])
        if not self.withheld:
            self.client.log_artifacts(run, str(artifacts))

    def end(self, run: str) -> None:
        """Mark a run as complete, at the time the night's run took."""
        seconds = sum(self.manifest["steps"].values())
        self.client.set_terminated(run, "FINISHED", end_time=self.started + int(seconds * 1000))

    def _dataset(self) -> Any:
        """Describe the panel by its digest: no rows, and only counts for a profile."""
        from mlflow.entities import Dataset

        sources = {each["id"]: each["digest"] for each in self.manifest["sources"] if not self.withheld}
        return Dataset(
            name=self.manifest["name"],
            digest=self.manifest["data_digest"][:DIGEST_LENGTH],
            source_type="code",
            source=json.dumps({"tags": {"mlflow.source.name": "forecast run", **sources}}),
            profile=json.dumps({"num_rows": len(self.history), "num_series": self.history["unique_id"].nunique()}),
        )
