"""The fee of a payment: how much, who bears it, whose it is. Data of each city, fixed when a payment opens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from avarez.money import PARTS_PER_MILLION


class Bearer(StrEnum):
    """Who bears the fee: the payer on top of the duty, or the city out of its share."""

    PAYER = "payer"
    CITY = "city"


@dataclass(frozen=True, slots=True)
class Fee:
    """What a city has set: the fee of one assessment, its bearer, and the office's part of it in ppm."""

    amount_rial: int = 0
    borne_by: Bearer = Bearer.PAYER
    office_ppm: int = PARTS_PER_MILLION

    def __post_init__(self) -> None:
        if self.amount_rial < 0 or not 0 <= self.office_ppm <= PARTS_PER_MILLION:
            raise ValueError("a fee is not negative, and the office's part of it is between nothing and all")


@dataclass(frozen=True, slots=True)
class FeeSplit:
    """The fee of one payment in whole rial; `office_rial` is of both sums together, the rest is the platform's."""

    payer_rial: int
    city_rial: int
    office_rial: int


def split(fee: Fee, *, duty_rial: int, has_office: bool) -> FeeSplit:
    """The fee of a payment of `duty_rial`. The last rial is the platform's; a city never bears more than it gets.

    Without an office, as when an owner pays alone, the whole fee is the platform's.
    """
    payer_rial = fee.amount_rial if fee.borne_by is Bearer.PAYER else 0
    city_rial = min(fee.amount_rial, duty_rial) if fee.borne_by is Bearer.CITY else 0
    office_rial = (payer_rial + city_rial) * fee.office_ppm // PARTS_PER_MILLION if has_office else 0
    return FeeSplit(payer_rial, city_rial, office_rial)
