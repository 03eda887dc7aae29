"""What is left of a case's facts once the person is erased: enough to count, too little to find anybody by.

Age becomes the first year of its group in the statistics, places become their regencies, sex goes altogether: if only
what is rare went, what is gone would say what it was. Of agencies that are kept away from the case it is no longer
said why; they are kept away still. Who shares the household is not kept.
"""

from dataclasses import replace

from app.domain.facts import NOBODY, Facts
from app.domain.regions import is_country, regency_of
from app.domain.simfoni import first_age


def coarse(facts: Facts) -> Facts:
    """Give the facts of an erased case; made coarse again they stay as they are."""
    return replace(
        facts,
        incident=_place(facts.incident),
        domicile=_place(facts.domicile),
        current=_place(facts.current),
        age=None if facts.age is None else first_age(facts.age),
        sex=None,
        perpetrator_in_household=None,
        conflicts=facts.conflicts | facts.refuses,
        refuses=NOBODY,
        consents_to=None,
        avoid_regions=frozenset(_place(code) or code for code in facts.avoid_regions),
    )


def _place(code: str | None) -> str | None:
    if code is None or is_country(code):
        return code
    return regency_of(code) or code
