"""A job with a speech and language section: the published list of one provider, and a small made-up log."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.jobs import samples

SOURCE = "source: made up for a test"
NORMS = f"""\
  norms:
    first_contact_hours: {{value: {{targeted: 2, specialist: 3}}, {SOURCE}}}
    treated_share: {{value: 0.6, {SOURCE}}}
    episode_weeks: {{value: 26, {SOURCE}}}
    contacts_per_episode: {{value: 6, {SOURCE}}}
    contact_hours: {{value: 1.5, {SOURCE}}}
    clinical_hours_a_year: {{value: 900, {SOURCE}}}
    sickness_rate: {{value: 0.04, {SOURCE}}}
    vacancy_rate: {{value: 0.08, {SOURCE}}}
    reneging_a_month: {{value: 0.01, {SOURCE}}}
    removal_a_month: {{value: 0.01, {SOURCE}}}
"""
OPTIONS = """\
  options:
    - {name: more_staff, title: Two more, wte: [{from: 2024-01-01, more: 2}], reason: a bid}
    - name: redesign
      title: Redesign
      tiers: [{from_tier: specialist, to_tier: targeted, share: 0.2, start: 2024-01-01}]
      reason: a plan
"""
SECTION = f"""\
speech_language:
  referrals: log
  waiting_list: slt
  provider: Stockport NHS Foundation Trust
  months: 9
  model: naive
  target: {{within_weeks: 18, share: 0.92, by: 2024-06-30}}
  clinics: [locality]
  staff: [{{from: 2023-01-01, wte: 20, reason: establishment}}]
{NORMS}{OPTIONS}"""
ENTRIES = """\
  slt: {source: nhs_waiting_list, path: bundled}
  log: {source: slt_referrals, path: log.csv, provenance: synthetic}
targets:"""
JOB = samples.JOB.replace("targets:", ENTRIES) + SECTION
WITHOUT_LOG = (
    JOB.replace("  log: {source: slt_referrals, path: log.csv, provenance: synthetic}\n", "")
    .replace("  referrals: log\n", "")
    .replace("{targeted: 2, specialist: 3}", "2.5")
    .replace(OPTIONS[OPTIONS.index("    - name: redesign") :], "")
)


def log(last: str = "2023-12-01", more: int = 0) -> str:
    """CSV of referrals of two localities and two tiers: about those that the published list implies."""
    days = pd.date_range("2021-01-01", last, freq="MS")
    rows = [
        f"{day:%Y-%m-%d},{locality},5-10,school,{tier},{20 + 8 * i + 4 * j + (5 * k + 3 * i) % 7 + more}"
        for k, day in enumerate(days)
        for i, locality in enumerate(("Heatons", "Marple"))
        for j, tier in enumerate(("targeted", "specialist"))
    ]
    return "\n".join(["month,locality,age_band,source,tier,referrals", *rows]) + "\n"


def write_job(folder: Path, *, job: str = JOB, text: str | None = None) -> Path:
    """Write a job, its table and its log; return the config file."""
    config = samples.write_job(folder, job=job)
    (folder / "log.csv").write_text(log() if text is None else text, encoding="utf-8")
    return config
