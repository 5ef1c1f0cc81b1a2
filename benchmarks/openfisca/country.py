"""The demonstration's duty as an OpenFisca tax-benefit system, its rates read from the same tariff files."""

# mypy: ignore-errors
# ruff: noqa: N801, N805 - OpenFisca's variables are classes in lower case, whose formulas take the entity first
# OpenFisca stands in an environment of its own, where this runs; the project's does not have it.

from __future__ import annotations

import json
from pathlib import Path

import numpy
from openfisca_core import periods
from openfisca_core.entities import Entity
from openfisca_core.indexed_enums import Enum
from openfisca_core.parameters import ParameterNode
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

FIRST_YEAR, LAST_YEAR = 1395, 1405
AS_OF_YEAR, AS_OF_MONTH = 1405, 9
ROUNDING_RIAL = 1_000

Vehicle = Entity("vehicle", "vehicles", "A vehicle", "")
Vehicle.is_person = True


class VehicleClass(Enum):
    passenger = "passenger"
    pickup_double = "pickup_double"
    pickup_single = "pickup_single"
    van = "van"
    minibus = "minibus"
    bus = "bus"
    truck = "truck"
    motorcycle = "motorcycle"
    taxi = "taxi"
    ambulance = "ambulance"
    other = "other"


class Fuel(Enum):
    petrol = "petrol"
    diesel = "diesel"
    cng = "cng"
    dual = "dual"
    hybrid = "hybrid"
    electric = "electric"


def half_up(amounts):
    """To the whole rial; exact for the prices here, whose products stay below 2^53."""
    return numpy.floor(amounts + 0.5)


class vehicle_class(Variable):
    value_type = Enum
    possible_values = VehicleClass
    default_value = VehicleClass.passenger
    entity = Vehicle
    definition_period = periods.ETERNITY


class fuel(Variable):
    value_type = Enum
    possible_values = Fuel
    default_value = Fuel.petrol
    entity = Vehicle
    definition_period = periods.ETERNITY


class imported(Variable):
    value_type = bool
    entity = Vehicle
    definition_period = periods.ETERNITY


class model_year(Variable):
    value_type = int
    entity = Vehicle
    definition_period = periods.ETERNITY


class base_price(Variable):
    value_type = float
    entity = Vehicle
    definition_period = periods.ETERNITY


class principal(Variable):
    value_type = float
    entity = Vehicle
    definition_period = periods.YEAR

    def formula(vehicle, period, parameters):
        of_year = parameters(period)
        kinds, abroad = vehicle("vehicle_class", period), vehicle("imported", period)
        rate_ppm = numpy.where(abroad, of_year.rate.imported[kinds], of_year.rate.domestic[kinds])
        flat = numpy.where(abroad, of_year.flat.imported[kinds], of_year.flat.domestic[kinds])
        return flat + half_up(vehicle("base_price", period) * rate_ppm / 1_000_000)


class surcharge(Variable):
    value_type = float
    entity = Vehicle
    definition_period = periods.YEAR

    def formula(vehicle, period, parameters):
        of_year = parameters(period).surcharge
        age = numpy.maximum(period.start.year - vehicle("model_year", period), 0)
        percent = numpy.minimum(of_year.percent_per_year * numpy.maximum(age - of_year.after_years, 0), 100)
        holds = of_year.classes[vehicle("vehicle_class", period)] * of_year.fuels[vehicle("fuel", period)]
        return half_up(vehicle("principal", period) * percent * holds / 100)


class penalty(Variable):
    value_type = float
    entity = Vehicle
    definition_period = periods.YEAR

    def formula(vehicle, period, parameters):
        months = max((AS_OF_YEAR - period.start.year - 1) * 12 + AS_OF_MONTH, 0)
        base = vehicle("principal", period) + vehicle("surcharge", period)
        return half_up(base * (months * parameters(period).penalty.monthly_ppm) / 1_000_000)


class owed_of_year(Variable):
    value_type = float
    entity = Vehicle
    definition_period = periods.YEAR

    def formula(vehicle, period, parameters):
        charged = vehicle("model_year", period) <= period.start.year
        lines = vehicle("principal", period) + vehicle("surcharge", period) + vehicle("penalty", period)
        return charged * lines


class owed(Variable):
    value_type = float
    entity = Vehicle
    definition_period = periods.YEAR

    def formula(vehicle, period, parameters):
        years = (periods.period(str(year)) for year in range(FIRST_YEAR, LAST_YEAR + 1))
        total = sum(vehicle("owed_of_year", year) for year in years)
        return numpy.ceil(total / ROUNDING_RIAL) * ROUNDING_RIAL


def _ppm(text):
    above, below = text.split("/")
    return float(above) * 1_000_000 / int(below)


def _from(values):
    """A parameter's history from a value by year."""
    return {"values": {f"{year}-01-01": {"value": value} for year, value in values.items()}}


def _parameters(tariffs: Path):
    rows = [
        row
        for path in sorted(tariffs.glob("*.json"))
        for row in json.loads(path.read_text("utf-8")).get("rows", ())
    ]
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    every = [one.name for one in VehicleClass]
    rate = {origin: {name: dict.fromkeys(years, 0.0) for name in every} for origin in ("domestic", "imported")}
    flat = {origin: {name: dict.fromkeys(years, 0.0) for name in every} for origin in ("domestic", "imported")}
    for row in rows:
        if row["kind"] != "principal":
            continue
        for year in range(row["duty_years"][0], row["duty_years"][1] + 1):
            for origin in row.get("origins", ("domestic", "imported")):
                for name in row.get("classes", every):
                    if "rate" in row:
                        rate[origin][name][year] = _ppm(row["rate"])
                    else:
                        flat[origin][name][year] = float(row["flat_rial"])
    (old,) = (row for row in rows if row["kind"] == "surcharge")
    charged = range(old["duty_years"][0], old["duty_years"][1] + 1)
    monthly = {_ppm(row["monthly_rate"]) for row in rows if row["kind"] == "penalty"}
    (monthly_ppm,) = monthly
    always = dict.fromkeys((FIRST_YEAR,), 0.0)

    def table(of):
        return {name: _from(values) for name, values in of.items()}

    return {
        "rate": {origin: table(of) for origin, of in rate.items()},
        "flat": {origin: table(of) for origin, of in flat.items()},
        "surcharge": {
            "percent_per_year": _from({year: old["percent_per_year"] if year in charged else 0 for year in years}),
            "after_years": _from({FIRST_YEAR: old["after_years"]}),
            "classes": table({name: {FIRST_YEAR: float(name in old["classes"])} for name in every}),
            "fuels": table({one.name: {FIRST_YEAR: float(one.name not in old["excepted_fuels"])} for one in Fuel}),
        },
        "penalty": {"monthly_ppm": _from({**always, FIRST_YEAR: monthly_ppm})},
    }


def system(tariffs: Path) -> TaxBenefitSystem:
    """The tax-benefit system. Amounts are 64-bit floats: OpenFisca's usual 32 bits would lose rials above 2^24."""
    made = TaxBenefitSystem([Vehicle])
    made.add_variables(vehicle_class, fuel, imported, model_year, base_price, principal, surcharge, penalty,
                       owed_of_year, owed)  # fmt: skip
    made.parameters = ParameterNode("", data=_parameters(tariffs))
    for name in ("base_price", "principal", "surcharge", "penalty", "owed_of_year", "owed"):
        made.get_variable(name).dtype = numpy.float64
    return made
