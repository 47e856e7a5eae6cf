from dataclasses import replace

import pandas as pd
import pytest

from forecast.publish.speech_language.demand import demand, expected
from forecast.publish.speech_language.lines import periods_of
from forecast.publish.speech_language.run import Figures


@pytest.fixture
def part(slt, plain_charts):
    figures = Figures(slt.table)
    return demand(slt, figures, periods_of(slt, figures), chart_id="c")


def test_years_are_those_counted_and_those_projected(part):
    total = part.tables[0]
    assert total.columns == ("Academic year", "Referrals", "EHC advice requests")
    actual, ahead = total.groups
    assert [row.head for row in actual.rows] == ["2020/21", "2021/22", "2022/23"]
    # 115 x 12 x 1.05 in 2020/21; of 2024/25 98 % of 1,761.3, within 5 % of it.
    assert actual.rows[0].cells == ("1,449\n", "-\n")
    assert ahead.rows[1].cells == ("1,726\n1,638 to 1,814", "470\n446 to 494")
    assert [row.head for row in ahead.rows if row.strong] == ["2024/25"]
    assert part.charts == (("c-referrals-wide", "c-referrals-narrow"),)


def test_parts_are_told_by_locality_age_tier_and_source(part):
    heads = {table.columns[0]: [row.head for row in table.groups[0].rows] for table in part.tables[1:]}
    assert heads == {
        "Locality": [f"Locality {i}" for i in range(1, 8)],
        "Age band": ["Aged 0 to 4", "Aged 5 to 10", "Aged 11 to 18"],
        "Tier": ["Universal", "Targeted", "Specialist"],
        "Source of referral": ["Health visitor", "School or nursery", "Parent or carer", "GP or paediatrician"],
    }
    assert part.tables[1].columns == ("Locality", "2022/23", "2023/24", "2024/25", "2025/26", "2026/27")
    assert part.sentences == (
        "Most come from Locality 1: about 345 of the referrals of 2024/25 (likely between 328 and 363) (synthetic "
        "data).",
        "Besides referrals, EHC assessments in Stockport ask the service for advice about 470 times (likely between "
        "446 and 494) in 2024/25 (synthetic data).",
    )


def test_without_a_counted_year_or_with_very_few_referrals_nothing_is_compared(slt):
    year = pd.Timestamp("2022-09-01")
    for rows in (
        slt.table[slt.table["freq"].ne("academic_year") | slt.table["status"].ne("outturn")],
        slt.table.assign(median=slt.table["median"].mask(slt.table["ds"].eq(year), 12.0)),
    ):
        bare = replace(slt, table=rows)
        said = expected(bare, Figures(rows), periods_of(bare, Figures(rows)))
        assert said.endswith("in the academic year 2024/25 (synthetic data).")


def test_referrals_of_the_proxy_are_said_to_be_guessed(slt):
    figures = Figures(slt.table)
    periods = periods_of(slt, figures)
    assert "guessed" not in expected(slt, figures, periods)
    proxy = replace(slt, proxy=True)
    assert "in the academic year 2024/25, as guessed from the published list, " in expected(proxy, figures, periods)
