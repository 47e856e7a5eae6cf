"""Small hand-made releases in each layout: three areas in two regions, only the columns that are needed."""

from pathlib import Path

BASE = (
    "time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,"
    "new_la_code,old_la_code,la_name"
)
OLD_BASE = BASE.replace("new_la_code,old_la_code", "old_la_code,new_la_code")
ENGLAND = ("National", "E92000001", "England", "", "", "", "", "")
AREAS = {
    "England": ENGLAND,
    "North": ("Regional", "E92000001", "England", "E12000001", "North", "", "", ""),
    "South": ("Regional", "E92000001", "England", "E12000002", "South", "", "", ""),
    "Alder": ("Local authority", "E92000001", "England", "E12000001", "North", "E06000091", "901", "Alder"),
    "Birch": ("Local authority", "E92000001", "England", "E12000001", "North", "E06000092", "902", "Birch"),
    "Cedar": ("Local authority", "E92000001", "England", "E12000002", "South", "E06000093", "903", "Cedar"),
}
TOTALS = {
    "requests": "All requests for EHC needs assessments",
    "assessments": "All EHC needs assessments",
    "newplans": "New EHC plans",
    "ceased_plans": "All ceased EHC plans",
    "timeliness_20_week": "All EHC plans issued",
    "caseload": "All EHC plans",
}
COLUMNS = {
    "requests": ("requests_received_in_year", "requests_decided_not_to_assess", "requests_decided_to_assess"),
    "assessments": ("assess_in_year", "assess_issued"),
    "newplans": ("new_ehc_plans",),
    "ceased_plans": ("total_ceased",),
    "timeliness_20_week": (
        "plans_issued_den",
        "plans_issued_within_20_weeks",
        "pc_plans_issued_within_20_weeks",
    ),
    "caseload": ("ehcplans",),
}
PLACEMENTS = (
    "mainstream_total",
    "special_total",
    "ap_pru_total",
    "fe_total",
    "ed_elsewhere",
    "nm_early_years",
    "placement_unknown",
)


def line(period, area, *values, identifier="Calendar year", areas=AREAS, old=False, labels=()):
    """One row: the area's columns (old layout swaps the codes), then labels and values."""
    level, country, country_name, region, region_name, new, number, name = areas[area]
    codes = (number, new) if old else (new, number)
    fields = (period, identifier, level, country, country_name, region, region_name, *codes, name)
    return ",".join(str(field) for field in (*fields, *labels, *values))


def table(name, figures, *, columns=None, label=None, header=None, areas=AREAS):
    """A csv of today's layout: `figures` holds (period, area, values...); placements of the caseload are not given."""
    total = label or TOTALS[name]
    identifier = "Academic year" if name == "caseload" else "Calendar year"
    if name == "caseload" and columns is header is None:
        columns = (*COLUMNS[name], *PLACEMENTS)
        figures = [(*row, *("x" for _ in PLACEMENTS)) for row in figures]
    head = header or f"{BASE},breakdown_topic,breakdown,{','.join(columns or COLUMNS[name])}"
    body = [line(*row, identifier=identifier, labels=(total, total), areas=areas) for row in figures]
    return "\n".join([head, *body]) + "\n"


def summed(period, alder, birch, cedar):
    """Rows of single figures whose areas add up to their regions and England."""
    return [
        (period, "Alder", alder),
        (period, "Birch", birch),
        (period, "Cedar", cedar),
        (period, "North", alder + birch),
        (period, "South", cedar),
        (period, "England", alder + birch + cedar),
    ]


def write(folder: Path, files: dict[str, str], *, encoding="utf-8-sig") -> Path:
    """Write csv texts into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_bytes(text.encode(encoding))
    return folder


def release(folder: Path, **figures) -> Path:
    """A release of today's layout with the tables given."""
    return write(folder, {name: table(name, rows) for name, rows in figures.items()})


def cut_table(total, columns, figures, *, identifier="Calendar year", areas=AREAS):
    """A csv by topic: `figures` holds (period, area, topic, label, values...); topic "" is a total."""
    body = [
        line(period, area, *values, identifier=identifier, labels=(topic or total, label or total), areas=areas)
        for period, area, topic, label, *values in figures
    ]
    return "\n".join([f"{BASE},breakdown_topic,breakdown,{','.join(columns)}", *body]) + "\n"


def old_release(folder: Path, caseload, new_plans=(), administration=()) -> Path:
    """A release of the aggregate returns: old column order, age bands, one wide table."""
    head = OLD_BASE + ",characteristic_age,Total_st,Total_all"
    plans = OLD_BASE + ",characteristic_age,Total_new_st,Total_new_all"
    wide = OLD_BASE + (
        ",NewallEHC_AssnoneEHC_sum,NewallEHC,AssRefusedEHC,InreqEHC,TotIncExcEHC,IncExc20weekEHC,IncExc20weekRate"
    )
    files = {
        "sen2_age_caseload": [head, *(line(p, a, "z", v, old=True, labels=("Total",)) for p, a, v in caseload)],
        "sen2_age_new_plans": [plans, *(line(p, a, "z", v, old=True, labels=("Total",)) for p, a, v in new_plans)],
        "sen2_mi": [wide, *(line(p, a, *v, old=True) for p, a, *v in administration)],
    }
    return write(folder, {name: "\n".join(lines) + "\n" for name, lines in files.items() if len(lines) > 1})
