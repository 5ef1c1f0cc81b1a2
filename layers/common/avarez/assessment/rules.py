"""The arithmetic of the law: whole rial in, whole rial out.

Pure: no clock, environment, store, network or chance; no float and no Decimal, since every division here is
a ratio of integers rounded once (`divide_half_up`). `docs/law.md` leads from each article to its rule and test.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from avarez.jalali import MONTHS_IN_YEAR

PPM: Final = 1_000_000
"""Rates are whole parts per million: 1/1000 is 1,000, 2 % is 20,000."""
PERCENT: Final = 100


def divide_half_up(numerator: int, denominator: int) -> int:
    """The whole number nearest to the ratio, halves away from zero: the one rounding of a line.

    Exact at any size, which a Decimal of finite precision is not.
    """
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


def principal_rial(base_price_rial: int, rate_ppm: int, months: int = MONTHS_IN_YEAR) -> int:
    """The duty of a year: the rate of the base, for `months` of twelve, half up to the whole rial, once.

    Law: VAT law of 1387/02/17, art. 43(b), duty years to 1400; VAT law of 1400/03/02, art. 29(a), from 1401.
    """
    return divide_half_up(base_price_rial * rate_ppm * months, PPM * MONTHS_IN_YEAR)


def flat_rial(amount_rial: int, months: int = MONTHS_IN_YEAR) -> int:
    """The duty of a year where the tariff gives an amount: that amount, for `months` of twelve."""
    return divide_half_up(amount_rial * months, MONTHS_IN_YEAR)


def first_year_months(start_month: int) -> int:
    """Months left in the year whose month `start_month` (1-12) has begun, that one included."""
    return MONTHS_IN_YEAR + 1 - start_month


def age_years(duty_year: int, model_year_jalali: int) -> int:
    """The vehicle's age in a duty year; 0 for a model sold before its year."""
    return max(duty_year - model_year_jalali, 0)


def surcharge_percent(age: int, after_years: int, percent_per_year: int, max_percent: int) -> int:
    """The percentage added for age: so much for each year beyond `after_years`, up to `max_percent`.

    Law: VAT law of 1387/02/17, art. 43, note: older than ten years, 10 % a year, at most 100 %. Gas-fuelled
    vehicles are excepted, which the tariff's row says and the caller asks.
    """
    return min(percent_per_year * max(age - after_years, 0), max_percent)


def surcharge_rial(principal: int, percent: int) -> int:
    """The surcharge on a rounded principal, half up to the whole rial."""
    return divide_half_up(principal * percent, PERCENT)


def penalty_months(
    duty_year: int, as_of_year: int, as_of_month: int, grace_months: int = 0, *, complete_only: bool = False
) -> int:
    """Months late on a day of the Jalali month `as_of_year`/`as_of_month`, a month begun counting in full.

    The penalty starts on 1 Farvardin of the year after the duty year, or `grace_months` later; before, there is
    none. With `complete_only` the month that has begun does not count yet. 1395 in Azar 1405 gives 117.

    Law: VAT law of 1400/03/02, art. 37. Part months, cap and limitation are open there (docs/law.md).
    """
    begun = (as_of_year - duty_year - 1) * MONTHS_IN_YEAR + as_of_month
    return max(begun - grace_months - (1 if complete_only else 0), 0)


def penalty_rial(base_rial: int, months_and_rates_ppm: Iterable[tuple[int, int]]) -> int:
    """Simple interest on what is due: the months at each monthly rate summed, then rounded half up once.

    Law: VAT law of 1400/03/02, art. 37: 2 % a month, simple.
    """
    total_ppm = sum(months * rate_ppm for months, rate_ppm in months_and_rates_ppm)
    return divide_half_up(base_rial * total_ppm, PPM)


def capped_rial(penalty: int, base_rial: int, cap_ppm: int | None) -> int:
    """The penalty, but not more than `cap_ppm` of what it is reckoned on; None is no cap."""
    return penalty if cap_ppm is None else min(penalty, divide_half_up(base_rial * cap_ppm, PPM))


def room_under_cap_rial(taken_rial: int, base_rial: int, cap_ppm: int | None) -> int | None:
    """What a cap of the whole leaves after so much was taken; None is no cap."""
    return None if cap_ppm is None else max(divide_half_up(base_rial * cap_ppm, PPM) - taken_rial, 0)


def relief_rial(of_rial: int, rate_ppm: int, remaining_rial: int) -> int:
    """What an exemption or a discount takes off: its rate of `of_rial`, never more than what remains."""
    return min(divide_half_up(of_rial * rate_ppm, PPM), max(remaining_rial, 0))


def rounding_rial(owed_rial: int, unit_rial: int) -> int:
    """What is added so that the quote is a multiple of `unit_rial`; it is the city's income. 0 on none."""
    return -owed_rial % unit_rial
