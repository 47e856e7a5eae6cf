"""The command line: `forecast run`, `publish` and the questions around them."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.shell import (
    MODEL_FAILED,
    STALE,
    WRONG_USE,
    ForecastGroup,
    answer,
    as_of_option,
    as_text,
    config_option,
    dry_run_option,
    error_lines,
    exit_code,
    json_option,
    load,
    named_again,
    output_option,
    rows_of,
    run_option,
    say,
)

if TYPE_CHECKING:
    from jobs.answers import ReleaseAnswer
    from jobs.release import ReleaseResult


@click.group(cls=ForecastGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="send-forecast", prog_name="forecast")
def main() -> None:
    """Forecast demand for EHC plans and speech and language therapy, and publish it for planning."""


@main.command()
@config_option
@as_of_option
@output_option
@json_option
@dry_run_option
def run(config_path: str, as_of: datetime | None, output: Path | None, as_json: bool, dry_run: bool) -> None:
    """Read, check, evaluate, forecast and record; publish if the config says so."""
    from jobs import nightly
    from jobs.answers import RunAnswer

    config = load(config_path, output, as_of)
    given = named_again(config_path, output)
    if dry_run:
        planned = nightly.plan(config, progress=say)
        nightly.check(planned)
        run_id, standing = planned.run_id, planned.standing is not None
        result = RunAnswer(
            run_id=run_id,
            folder=str(config.runs_dir / run_id),
            status="planned",
            new=not standing,
            as_of=config.as_of.isoformat(),
            seconds={},
            failed=[],
            warnings=[],
            tracking="off",
        )
        what = "nothing new: this run is there already" if standing else "would make this run"
        again = named_again(config_path, output, as_of)
        answer(result, as_json=as_json, text=f"{run_id}: {what}", next_command=f"forecast run {again}")
        return
    done, tracking, release = nightly.run(config, now=datetime.now().astimezone(), progress=say)
    for warning in (*done.warnings, *(release.warnings if release else ())):
        say(f"warning: {warning}")
    result = RunAnswer(
        run_id=done.run_id,
        folder=str(done.folder),
        status="ok" if done.status == "ok" else "model_failed",
        new=done.new,
        as_of=config.as_of.isoformat(),
        seconds=dict(done.steps),
        failed=list(done.failed),
        warnings=list(done.warnings),
        tracking=tracking,
        release=_release_answer(release) if release else None,
    )
    lines = [
        f"run {done.run_id} {'done' if done.new else 'is there already: nothing new, nothing done'}",
        f"folder: {done.folder}",
        *(f"model failed: {line}" for line in done.failed),
    ]
    if release:
        lines += [release.message, f"page: {release.index}"]
    same = given if done.new else f"{given} --run {done.run_id}"
    following = f"forecast {'evaluate' if release else 'publish'} {same}"
    answer(result, as_json=as_json, text="\n".join(lines), next_command=following)
    if done.status == "model_failed":
        sys.exit(MODEL_FAILED)


@main.command()
@config_option
@as_of_option
@json_option
def validate(config_path: str, as_of: datetime | None, as_json: bool) -> None:
    """Check a config and its data, list every fault, change nothing."""
    from forecast.errors import SpecError
    from jobs.answers import ValidateAnswer
    from jobs.checked import check_everything

    figures: dict[str, int] = {}
    warnings: list[str] = []
    series, code = 0, 0
    try:
        config = load(config_path, None, as_of)
    except SpecError as error:
        faults, code = error_lines(error), WRONG_USE
    else:
        checked = check_everything(config)
        figures, series, warnings = checked.figures, checked.series, checked.warnings
        faults = [line for fault in checked.faults for line in error_lines(fault)]
        code = exit_code(checked.faults[0]) if checked.faults else 0
    result = ValidateAnswer(
        config=config_path, valid=not faults, faults=faults, figures=figures, series=series, warnings=warnings
    )
    counts = ", ".join(f"{name} {count:,}" for name, count in figures.items())
    for fault in faults:
        click.echo(f"error: {fault}", err=True)
    text = (
        f"{len(faults)} fault{'s' * (len(faults) != 1)}"
        if faults
        else f"valid: {series} series; figures visible: {counts}"
    )
    following = f"forecast {'validate' if faults else 'run'} {named_again(config_path, None, as_of)}"
    said = "\n".join([*(f"warning: {warning}" for warning in warnings), text])
    answer(result, as_json=as_json, text=said, next_command=following)
    if code:
        sys.exit(code)


@main.command()
@config_option
@output_option
@click.option("--max-age", type=click.IntRange(min=0), metavar="DAYS", help="Exit with 7 if the data is older.")
@json_option
def status(config_path: str, output: Path | None, max_age: int | None, as_json: bool) -> None:
    """Say which run and which release stand, and how old their data is."""
    from jobs.answers import StatusAnswer
    from jobs.release import current
    from jobs.results import manifests

    config = load(config_path, output)
    own = [manifest for manifest in manifests(config.runs_dir) if manifest["name"] == config.name]
    last = own[-1] if own else None
    pointer = current(config.releases_dir)
    age = (date.today() - date.fromisoformat(last["as_of"])).days if last else None
    stale = max_age is not None and (age is None or age > max_age)
    page = str(config.releases_dir / pointer["path"] / "index.html") if pointer else None
    result = StatusAnswer(
        run_id=last["run_id"] if last else None,
        as_of=last["as_of"] if last else None,
        created=last["created"] if last else None,
        run_status=last["status"] if last else None,
        release_id=pointer["release_id"] if pointer else None,
        page=page,
        age_days=age,
        stale=stale,
    )
    text = "\n".join(
        [
            f"run: {last['run_id']} ({last['status']}), data as of {last['as_of']}, {age} days ago"
            if last
            else "run: none",
            f"release: {page}" if page else "release: none",
            *([f"stale: older than {max_age} days"] if stale else []),
        ]
    )
    given = named_again(config_path, output)
    following = f"forecast publish {given}" if last and not page else f"forecast run {given}"
    answer(result, as_json=as_json, text=text, next_command=following)
    if stale:
        sys.exit(STALE)


@main.command()
@config_option
@output_option
@run_option
@click.option("--all-cells", is_flag=True, help="Each model on all its own past forecasts, not the shared ones.")
@json_option
def evaluate(config_path: str, output: Path | None, run_id: str | None, all_cells: bool, as_json: bool) -> None:
    """Show how accurate each model was at past origins, by measure and horizon."""
    from jobs.answers import EvaluateAnswer, ScoreRow
    from jobs.results import latest_run, read_scores, scores_shown, scores_table

    config = load(config_path, output)
    manifest = latest_run(config.runs_dir, name=config.name, run_id=run_id)
    table = scores_table(read_scores(config.runs_dir / manifest["run_id"]), all_cells=all_cells)
    rows = rows_of(table, ScoreRow.model_validate)
    result = EvaluateAnswer(run_id=manifest["run_id"], cells="all" if all_cells else "common", scores=rows)
    which = "each model on all of its past forecasts" if all_cells else "models on the past forecasts they share"
    answer(
        result,
        as_json=as_json,
        text=f"{which}\n{as_text(scores_shown(table))}",
        next_command=f"forecast compare {named_again(config_path, output)}",
    )


@main.command()
@config_option
@output_option
@run_option
@click.option("--reference", default="naive", show_default=True, metavar="MODEL", help="Model to compare with.")
@click.option("--measure", "measures", multiple=True, metavar="MEASURE", help="Only this measure; may be repeated.")
@json_option
def compare(
    config_path: str,
    output: Path | None,
    run_id: str | None,
    reference: str,
    measures: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say which models beat a reference, and where the difference is noise."""
    from jobs.answers import CompareAnswer, CompareRow
    from jobs.results import comparison_table, latest_run, read_scores

    config = load(config_path, output)
    manifest = latest_run(config.runs_dir, name=config.name, run_id=run_id)
    scores = read_scores(config.runs_dir / manifest["run_id"])
    table = comparison_table(scores, reference=reference, measures=measures)
    table = table.rename(columns={"lo-95": "lo_95", "hi-95": "hi_95"})
    result = CompareAnswer(run_id=manifest["run_id"], comparisons=rows_of(table, CompareRow.model_validate))
    shown = table.drop(columns=["target", "reference"])
    shares = ["wape", "wape_reference", "difference", "lo_95", "hi_95"]
    shown[shares] = shown[shares].astype(float) * 100
    answer(
        result,
        as_json=as_json,
        text=f"against {reference}, in percentage points of WAPE\n{as_text(shown.round(1))}",
        next_command=f"forecast publish {named_again(config_path, output)}",
    )


@main.command()
@json_option
def models(as_json: bool) -> None:
    """List the models and what each needs."""
    from forecast import models as registry
    from jobs.answers import ModelRow, ModelsAnswer

    rows = []
    for name in registry.names():
        model = registry.get(name)
        ability = model.capability
        rows.append(
            ModelRow(
                name=name,
                summary=getattr(model, "summary", None) or (type(model).__doc__ or "").strip().splitlines()[0],
                min_history=ability.min_history,
                handles_missing=ability.handles_missing,
                pooled=ability.pooled,
                slow=ability.slow,
            )
        )
    width = max(len(row.name) for row in rows)
    lines = [f"{row.name:<{width}}  {row.summary}" for row in rows]
    lines.append(f"{'auto':<{width}}  A combination of fast ones by kind of series, weighted by rolling origins.")
    answer(ModelsAnswer(models=rows), as_json=as_json, text="\n".join(lines), next_command="forecast init LA")


@main.command()
@config_option
@output_option
@run_option
@json_option
@dry_run_option
def publish(config_path: str, output: Path | None, run_id: str | None, as_json: bool, dry_run: bool) -> None:
    """Make a release of a run: the page, the tables and their manifest."""
    from jobs.release import publish as make_release
    from jobs.results import latest_run

    config = load(config_path, output)
    manifest = latest_run(config.runs_dir, name=config.name, run_id=run_id)
    made = make_release(
        config.runs_dir / manifest["run_id"],
        config.releases_dir,
        now=datetime.now().astimezone(),
        dry_run=dry_run,
    )
    for warning in made.warnings:
        say(f"warning: {warning}")
    text = f"{made.message}\npage: {made.index}"
    answer(
        _release_answer(made),
        as_json=as_json,
        text=text,
        next_command=f"forecast status {named_again(config_path, output)}",
    )


@main.command()
@click.argument("local_authority", metavar="LA")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where to write it; default here.",
)
@as_of_option
@json_option
@dry_run_option
def init(local_authority: str, folder: Path, as_of: datetime | None, as_json: bool, dry_run: bool) -> None:
    """Write a commented config for a local authority, by name or code."""
    from jobs.answers import InitAnswer
    from jobs.init import write_config

    path = write_config(local_authority, folder, as_of=as_of.date() if as_of else None, dry_run=dry_run)
    text = f"would write {path}" if dry_run else f"wrote {path}"
    answer(
        InitAnswer(path=str(path), written=not dry_run),
        as_json=as_json,
        text=text,
        next_command=f"forecast run {named_again(str(path), None)}",
    )


def _release_answer(made: ReleaseResult) -> ReleaseAnswer:
    from jobs.answers import ReleaseAnswer

    return ReleaseAnswer.model_validate(
        {
            "release_id": made.release_id,
            "run_id": made.run_id,
            "status": made.status,
            "page": str(made.index),
            "warnings": list(made.warnings),
        }
    )


if __name__ == "__main__":
    main()
