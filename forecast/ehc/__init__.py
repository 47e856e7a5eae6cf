"""EHC demand of English local authorities: requests, the 20-week pipeline, the caseload; with dated assumptions.

>>> from datetime import date
>>> from forecast.ehc import Assumptions, Override
>>> Assumptions(overrides=(Override(what="refusal", start=date(2025, 9, 1), value=0.2),)).listed()["what"].tolist()
['refusal']
"""

from forecast.ehc.assumptions import Assumptions, PlanningTable
from forecast.ehc.figures import Figures
from forecast.ehc.local import MonthlyRequests
from forecast.ehc.nation import Nation, prepared
from forecast.ehc.outputs import Projection
from forecast.ehc.overrides import Override
from forecast.ehc.projection import members_of, project, project_each

__all__ = [
    "Assumptions",
    "Figures",
    "MonthlyRequests",
    "Nation",
    "Override",
    "PlanningTable",
    "Projection",
    "members_of",
    "prepared",
    "project",
    "project_each",
]
