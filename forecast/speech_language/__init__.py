"""Speech and language: from referrals to waits to therapists.

`project` runs a service forward from its published waiting list: referrals month by month, the list by wait band, what
follows the first contact, and the therapists (WTE) it takes, as it is and under each option of redesign.
"""

from forecast.speech_language.bands import WaitBands
from forecast.speech_language.clinics import Booking
from forecast.speech_language.norms import Norms
from forecast.speech_language.outputs import ServiceProjection
from forecast.speech_language.projection import project
from forecast.speech_language.service import CapacityStep, MoreCapacity, Option, Service, Target
from forecast.speech_language.staff import StaffChange, StaffStep
from forecast.speech_language.tiers import TierMove

__all__ = [
    "Booking",
    "CapacityStep",
    "MoreCapacity",
    "Norms",
    "Option",
    "Service",
    "ServiceProjection",
    "StaffChange",
    "StaffStep",
    "Target",
    "TierMove",
    "WaitBands",
    "project",
]
