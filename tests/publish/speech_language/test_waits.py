import pandas as pd
import pytest

from forecast.publish.speech_language.lines import periods_of
from forecast.publish.speech_language.run import Figures
from forecast.publish.speech_language.waits import afterwards, waits


@pytest.fixture
def told(slt, plain_charts):
    def tell(table):
        figures = Figures(table)
        return waits(slt, figures, periods_of(slt, figures), chart_id="c")

    return tell


def test_the_list_of_the_month_of_the_target_is_said(slt, told):
    # 497 + 6 x 42 = 749, its median 734 within 70 (5 % times the root of 3.5); 2 % of it are over 52 weeks.
    assert told(slt.table).sentences == (
        "At the end of September 2023 497 children were waiting. As things are, about 730 wait (likely between 660 and "
        "800) at the end of March 2027; about 72% of them (likely between 65% and 79%) have waited less than 18 weeks, "
        "and about 15 (likely between 13 and 16) 52 weeks or more (synthetic data).",
    )


def test_the_table_has_the_share_the_long_waits_and_the_waits(slt, told):
    part = told(slt.table)
    table = part.tables[0]
    assert table.caption == "The waiting list, with the 4 in 5 range (projection: synthetic data)"
    assert table.columns[1:4] == ("Waiting", "Within 18 weeks", "Over 52 weeks")
    actual, ahead = table.groups
    assert [row.head for row in actual.rows] == ["Sep\u00a02023"]
    # 48 and 1 of 497 have waited 18 weeks or more.
    assert actual.rows[0].cells == ("497\n", "90%\n", "1\n", "8\nmodelled", "17\nmodelled")
    assert [row.head for row in ahead.rows if row.strong] == ["Mar\u00a02027"]
    assert part.charts == (("c-list-wide", "c-list-narrow"), ("c-waits-wide", "c-waits-narrow"))
    bands, months = part.folded
    assert bands.columns == (
        *("End of", "0 to 1 weeks", "1 to 2 weeks", "2 to 4 weeks", "4 to 12 weeks", "12 to 18 weeks"),
        *("18 to 52 weeks", "52 weeks and more"),
    )
    assert bands.groups[0].rows[0].cells[-2:] == ("48\n", "1\n")
    assert [len(group.rows) for group in months.groups] == [9, 48]


def test_localities_ages_and_tiers_are_told_at_the_month_of_the_target(slt, told):
    captions = [table.caption for table in told(slt.table).tables[1:]]
    assert captions == [
        f"The waiting list at the end of March 2027 by {what}, with the 4 in 5 range (synthetic data)"
        for what in ("locality", "age band", "tier")
    ]


def test_a_tier_that_is_seen_at_once_is_not_listed(slt, told):
    table = slt.table.copy()
    universal = table["measure"].eq("waiting") & table["category"].eq("universal")
    table.loc[universal, ["mean", "median", "lo-80", "hi-80", "lo-95", "hi-95"]] = 0.0
    tiers = told(table).tables[-1]
    assert [row.head for row in tiers.groups[0].rows] == ["Targeted", "Specialist"]


def test_a_month_that_is_missing_says_nothing(slt, told):
    gone = slt.table["measure"].eq("waiting") & slt.table["ds"].eq(pd.Timestamp("2027-03-01"))
    assert told(slt.table[~gone]).sentences == ()


def test_after_the_first_contact(slt):
    figures = Figures(slt.table)
    part = afterwards(slt, figures, periods_of(slt, figures))
    stock, contacts, children = part.tables
    assert stock.columns == ("End of", "In treatment", "Universal", "Targeted", "Specialist")
    assert [row.head for row in contacts.groups[0].rows] == [
        *("First contacts", "Treatment", "Children with an EHC plan")
    ]
    assert children.caption.startswith("Children seen, and children who leave unseen, by academic year, with the")
    assert [row.head for row in children.groups[0].rows] == ["Seen for the first time", "Left without being seen"]
    assert part.remarks[1].startswith("Advice for EHC assessments is counted in requests")
    bare = Figures(slt.table[slt.table["measure"].ne("advice_requests")])
    assert len(afterwards(slt, bare, periods_of(slt, bare)).remarks) == 1
    # 900 + 4 x 42 = 1,068 children; 98 % of 1,920 contacts, within 5 %.
    assert part.sentences == (
        "At the end of March 2027 about 1,050 children (likely between 950 and 1,150) are in treatment (synthetic "
        "data).",
        "Children of Stockport with an EHC plan for speech and language or autism need about 1,880 contacts (likely "
        "between 1,790 and 1,980) in 2024/25, whatever the list (synthetic data).",
    )
