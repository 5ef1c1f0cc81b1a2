"""What a city has set up and what is missing, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

OFFICERS_MIN: Final = 2
"""Nothing that needs a second person can be done by one."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What stands of a city. `webhook` is the endpoint's state, `file_day` the last day of its daily files."""

    account: bool = False
    account_open: bool = False
    officers: int = 0
    webhook: str = ""
    file_day: str = ""
    tariff: bool = False
    roll: bool = False
    emblem: bool = False
    contact: bool = False


def steps(setup: Setup) -> list[dict[str, Any]]:
    """Each thing to set up: whether it is done, whether a city needs it, and a sentence in both languages."""
    return [
        _account(setup),
        _step(
            "officers",
            setup.officers >= OFFICERS_MIN,
            f"{setup.officers} officers can sign in." if setup.officers >= OFFICERS_MIN
            else "A second officer is missing: invite one (POST …/officers); changes need two people.",
            f"{setup.officers} مأمور می‌توانند وارد شوند." if setup.officers >= OFFICERS_MIN
            else "مأمور دوم تعریف نشده است؛ یک نفر را دعوت کنید (‎POST …/officers). تغییرها دو نفر می‌خواهند.",
        ),
        _events(setup),
        _step(
            "tariff",
            setup.tariff,
            "A tariff is published." if setup.tariff else "No tariff is published yet: nothing can be assessed.",
            "تعرفه منتشر شده است." if setup.tariff else "هنوز تعرفه‌ای منتشر نشده است و برآورد شدنی نیست.",
        ),
        _step(
            "roll",
            setup.roll,
            "A roll of vehicles is committed." if setup.roll
            else "No roll of vehicles is committed (POST /v1/rolls).",
            "فهرست خودروها ثبت شده است." if setup.roll else "فهرست خودروها ثبت نشده است (‎POST /v1/rolls).",
        ),
        _step(
            "emblem",
            setup.emblem,
            "The city's emblem is on its papers." if setup.emblem
            else "No emblem is set (PUT …/profile): papers have the neutral star.",
            "نشان شهرداری روی برگه‌ها چاپ می‌شود." if setup.emblem
            else "نشانی تعیین نشده است (‎PUT …/profile)؛ برگه‌ها ستارهٔ بی‌طرف دارند.",
            required=False,
        ),
        _step(
            "contact",
            setup.contact,
            "Somebody can be called." if setup.contact
            else "No contact is set (PUT …/profile): nobody can be called about a change of the account.",
            "نشانی تماس ثبت شده است." if setup.contact
            else "نشانی تماس ثبت نشده است (‎PUT …/profile)؛ دربارهٔ تغییر حساب نمی‌توان تماس گرفت.",
        ),
    ]  # fmt: skip


def is_ready(setup: Setup) -> bool:
    """Whether everything is done that a city cannot do without."""
    return all(step["done"] for step in steps(setup) if step["required"])


def _account(setup: Setup) -> dict[str, Any]:
    if setup.account:
        told = "A bank account is in force.", "حساب بانکی برقرار است."
    elif setup.account_open:
        told = (
            "A bank account is proposed: a second officer has to approve it, or it cools off.",
            "حساب بانکی پیشنهاد شده است؛ مأمور دوم باید تأیید کند یا زمان انتظار بگذرد.",
        )
    else:
        told = (
            "No bank account is set (PUT …/account): the city's money waits.",
            "حساب بانکی ثبت نشده است (‎PUT …/account)؛ پول شهرداری منتظر می‌ماند.",
        )
    return _step("account", setup.account, *told)


def _events(setup: Setup) -> dict[str, Any]:
    if setup.webhook == "active":
        return _step(
            "events", True, "Events are brought to the city's endpoint.", "رویدادها به نشانی شهرداری می‌رسد."
        )
    if setup.webhook:
        return _step(
            "events",
            False,
            f"The endpoint is {setup.webhook}; see GET …/webhook.",
            f"نشانی دریافت در وضعیت {setup.webhook} است؛ ‎GET …/webhook را ببینید.",
        )
    if setup.file_day:
        return _step(
            "events",
            True,
            f"No endpoint: events are in the daily files, the last one of {setup.file_day}.",
            f"نشانی دریافت ندارد؛ رویدادها در فایل‌های روزانه است، آخرین روز {setup.file_day}.",
        )
    return _step(
        "events",
        False,
        "No endpoint (PUT …/webhook); daily files begin the day after the first event.",
        "نشانی دریافت ندارد (‎PUT …/webhook)؛ فایل‌های روزانه از روز پس از نخستین رویداد آماده می‌شود.",
    )


def _step(what: str, done: bool, en: str, fa: str, *, required: bool = True) -> dict[str, Any]:
    return {"what": what, "done": done, "required": required, "text_en": en, "text_fa": fa}
