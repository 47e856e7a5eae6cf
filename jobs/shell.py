"""What every command shares: exit codes, options, and how results and errors are said.

Results go to stdout, messages and progress to stderr; the last line of a result names the next command.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    import pandas as pd

    from jobs.answers import Answer
    from jobs.config import RunConfig

T = TypeVar("T")
UNEXPECTED, WRONG_USE, MODEL_FAILED, INPUT_REFUSED, PUBLISH_REFUSED, LOCKED, STALE = range(1, 8)


class ForecastGroup(click.Group):
    """Turns every error into one line on stderr and the documented exit code."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command."""
        _say_all_of_it()
        try:
            return super().parse_args(ctx, args)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            _refuse(error, ctx)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, its numbers on one thread a process: models run in parallel, not the algebra in them."""
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            _refuse(error, ctx)
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            for line in error_lines(error):
                click.echo(f"error: {line}", err=True)
            if os.environ.get("FORECAST_DEBUG"):
                raise
            ctx.exit(exit_code(error))


def _say_all_of_it() -> None:
    """Keep a terminal or pipe of another encoding from refusing a name with an accent; stderr never does."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")


def _refuse(error: click.ClickException, ctx: click.Context) -> NoReturn:
    """Say in one line how a command was used wrongly."""
    within = getattr(error, "ctx", None) or ctx
    said = _printable(error.format_message())
    stop = "" if said.endswith((".", "?")) else "."
    click.echo(f"error: {said}{stop} See `{within.command_path} --help`.", err=True)
    ctx.exit(error.exit_code)


def _printable(text: str) -> str:
    """Keep a message one line, whatever a cell or a file name holds."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text).strip()


def error_lines(error: Exception) -> list[str]:
    """Return what to say about an error: one line, or one for each fault of a config."""
    from filelock import Timeout

    from forecast.errors import SendForecastError, SpecError

    if isinstance(error, SpecError):
        return [_printable(line) for line in str(error).splitlines()]
    if isinstance(error, SendForecastError):
        text = str(error)
    elif isinstance(error, Timeout):
        text = f"{error.lock_file}: another run or publish is at work. Wait for it, or stop it and try again."
    elif isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        text = f"{where}{error.strerror}. Check the folder, its permissions and the disk, then try again."
    else:
        kind = type(error).__name__
        text = f"unexpected {kind}: {error} (set FORECAST_DEBUG=1 for the traceback and report it)"
    return [_printable(text)]


def exit_code(error: Exception) -> int:
    """Return the documented exit code of an error."""
    from filelock import Timeout

    from forecast import errors

    for kind, code in (
        (errors.SpecError, WRONG_USE),
        (errors.InputError, INPUT_REFUSED),
        (errors.PublishRefused, PUBLISH_REFUSED),
        (errors.ModelError, MODEL_FAILED),
        (Timeout, LOCKED),
    ):
        if isinstance(error, kind):
            return code
    return UNEXPECTED


config_option = click.option(
    "-c",
    "--config",
    "config_path",
    envvar="FORECAST_CONFIG",
    required=True,
    metavar="FILE",
    help="Config file, or the name of one that ships: stockport, england. [env: FORECAST_CONFIG]",
)
as_of_option = click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Read nothing that became available later (YYYY-MM-DD).",
)
output_option = click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Put runs, releases and a local MLflow store below DIR.",
)
run_option = click.option("--run", "run_id", metavar="RUN_ID", help="A run by its id; default the latest.")
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON on stdout.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")


def load(config_path: str, output: Path | None, as_of: datetime | None = None) -> RunConfig:
    """Load a config by file or shipped name, its results below `output` when that is given."""
    from jobs.config import load_config, shipped_config

    path = Path(config_path)
    bare = not path.exists() and path.suffix == "" and path.name == config_path
    if bare:
        path, output = shipped_config(config_path), output or Path.cwd() / config_path
    config = load_config(path, as_of=as_of.date() if as_of else None, today=date.today())
    config = config.with_output(output) if output else config
    _check_folders(config)
    return config


def _check_folders(config: RunConfig) -> None:
    """Refuse folders for results that cannot be, before an hour of work is lost to them."""
    from forecast.errors import SpecError

    for name, folder in (("runs", config.runs_dir), ("releases", config.releases_dir)):
        standing = next((place for place in (folder, *folder.parents) if place.exists()), None)
        if standing is None:
            raise SpecError(
                f"{config.file}: output.{name}: {folder} cannot be a folder, because {folder.anchor} is not there. "
                "Connect that drive or name another folder."
            )
        if not standing.is_dir():
            raise SpecError(
                f"{config.file}: output.{name}: {folder} cannot be a folder, because {standing} is a file. "
                "Name another folder."
            )


def answer(answer: Answer, *, as_json: bool, text: str, next_command: str) -> None:
    """Print a result: JSON alone, or text whose last line names the next command."""
    if as_json:
        click.echo(answer.model_dump_json(indent=2))
    else:
        click.echo(text)
        click.echo(f"next: {next_command}")


def say(line: str) -> None:
    """Print a message or a progress line."""
    click.echo(line, err=True)


def named_again(config_path: str, output: Path | None, as_of: datetime | None = None) -> str:
    """Repeat how the config was named, for the next command.

    >>> named_again("my job.yaml", Path("out"))
    '-c "my job.yaml" --output out'
    """
    words = ["-c", config_path]
    words += ["--as-of", f"{as_of:%Y-%m-%d}"] if as_of else []
    words += ["--output", str(output)] if output else []
    return " ".join(f'"{word}"' if re.search(r"\s", word) else word for word in words)


def rows_of(table: pd.DataFrame, make: Callable[[object], T]) -> list[T]:
    """Turn the rows of a table into answers, with None for what is not measured."""
    plain = table.astype(object).where(table.notna(), None)
    return [make(row) for row in plain.to_dict(orient="records")]


def as_text(frame: pd.DataFrame) -> str:
    """Lay a table out for a terminal."""
    if frame.empty:
        return "accuracy not measured: too little history for a rolling-origin evaluation"
    return frame.to_string(index=False, na_rep="not measured")
