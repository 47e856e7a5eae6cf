"""How long a projection of a speech and language service takes: `python -m experiments.speech_language_speed`.

Seven localities, three age bands, three tiers, 48 months: the made-up log and the norms of the shipped config. Prints
seconds of a second call, when the kernels are compiled: the projection as it is, each option more, the table, and the
answers to the inverse questions.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from experiments.tables import text_table
from forecast import ehc, reference, speech_language
from forecast.speech_language import Service, ServiceProjection
from jobs.config import load_config
from jobs.speech_language_service import service_of

CONFIG = Path(__file__).parents[1] / "configs" / "stockport.yaml"
AREA, PROVIDER = "Stockport", "Stockport NHS Foundation Trust"
MONTHS = 48


def main(argv: Sequence[str] | None = None) -> None:
    """Time the parts, print a table."""
    parser = argparse.ArgumentParser(description="Seconds of a projection of a speech and language service.")
    parser.add_argument("--paths", type=int, default=1000, help="possible futures")
    paths = parser.parse_args(argv).paths
    section = load_config(CONFIG, today=date.today()).speech_language
    if section is None:
        raise SystemExit(f"{CONFIG}: no section speech_language. Give the shipped config.")
    service = service_of(section)
    plans = ehc.project(AREA, until=2027, n_paths=paths)

    def project(asked: Service) -> ServiceProjection:
        return speech_language.project(
            asked,
            waiting=reference.slt_waiting().observations,
            provider=PROVIDER,
            referrals=reference.slt_referrals().frame,
            ehc=plans,
            months=MONTHS,
            n_paths=paths,
        )

    as_is = replace(service, options=())
    made = project(as_is)
    alone = seconds(lambda: project(as_is))
    whole = seconds(lambda: project(service))
    rows = [
        [f"{len(made.start.cells)} cells, {MONTHS} months, {paths:,} paths", "seconds"],
        ["projection as it is", f"{alone:.1f}"],
        ["each option more", f"{(whole - alone) / max(len(service.options), 1):.1f}"],
        ["table", f"{seconds(made.table):.1f}"],
        ["answers", f"{seconds(made.entry):.1f}"],
    ]
    print(text_table(rows))


def seconds(run: Callable[[], object]) -> float:
    """Run once and return the seconds it took."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
