"""What each figure and each column means, in both languages; each has an address of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Definition:
    """One figure, or one column of the files."""

    name: str
    unit: str
    title_fa: str
    title_en: str
    text_fa: str
    text_en: str

    def told(self) -> dict[str, str]:
        return {
            "name": self.name,
            "href": f"/v1/open/definitions/{self.name}",
            "unit": self.unit,
            "title_fa": self.title_fa,
            "title_en": self.title_en,
            "text_fa": self.text_fa,
            "text_en": self.text_en,
        }


DEFINITIONS: Final = (
    Definition(
        "collected",
        "rial",
        "وصول‌شده",
        "Collected",
        "آنچه از پرداخت‌های قطعی به شهر تعلق گرفته است (عوارض، جریمه و رند کردن، پس از کسر کارمزدی که خود شهر "
        "پذیرفته است) منهای آنچه با تصویب دو نفر از آن بازگردانده شده است؛ بازگرداندن در ماه خودش کم می‌شود و "
        "ردیف جدا ندارد، چون جدا گفتنش خودرویی را آشکار می‌کرد. کارمزد دفتر و سامانه جزو آن نیست. برابر است با "
        "گردش دو حساب شهر در دفتر کل (بدون آنچه به حساب خود شهر واریز شده است)، تا یک ریال.",
        "What settled payments brought to the city (duty, penalty and rounding, less a fee that the city itself "
        "bears) less what two people approved to be given back of it. A refund is taken off in its own month and "
        "has no row of its own, which would show a vehicle. Fees of offices and of the platform are no part of "
        "it. Equal to the movement of the city's two accounts in the ledger (without what was paid on to the "
        "city's own account), to the rial.",
    ),
    Definition(
        "owed",
        "rial",
        "عوارض تعلق‌گرفته",
        "Owed",
        "آنچه تعرفه برای یک سال عوارض به خودروهای فهرست شهر تعلق می‌دهد، چه پرداخت شده باشد و چه نشده باشد، پیش از "
        "جریمه و رند کردن. از فهرست خودروهای شهر و تعرفه در یک روز معین حساب می‌شود، نه از رویدادهای دفتر کل؛ "
        "نسخه‌های فهرست، نسخهٔ تعرفه، آن روز و جای دفتر در فایل آمده است. برای هر سال تنها یک بار و پس از پایان سال "
        "گفته می‌شود و دیگر تغییر نمی‌کند؛ اصلاح‌ها، اعتراض‌ها و خودروهای بعدی در آن نیستند. هر کس می‌تواند نام "
        "فایل‌ها، برابری جدول‌ها و جمع‌ها را دوباره بسنجد؛ خود مبلغ را تنها کسی که فهرست شهر را دارد.",
        "What the tariff charges the vehicles on the city's roll for a duty year, whether or not it was paid, "
        "before penalty and rounding. Computed from the city's roll and the tariff as of a stated day, not from "
        "the ledger's events; the file names the roll's versions, the tariff's, the day, and the chain's place. "
        "Told once for each year, after its end, and never changed: corrections, objections and cars that came "
        "later are not in it. Anybody can check the files' names, the tables against each other and the sums; the "
        "amounts themselves only who has the city's roll.",
    ),
    Definition(
        "certified",
        "certificates",
        "زمان تا گواهی",
        "Time to certificate",
        "شمار گواهی‌های پرداخت بر پایهٔ فاصلهٔ میان قطعی شدن پرداخت و معتبر شدن گواهی.",
        "Certificates of payment, by the time between the settlement of the payment and the certificate's coming "
        "into force.",
    ),
    Definition(
        "month",
        "",
        "ماه",
        "Month",
        "ماه شمسی سند حسابداری (یا معتبر شدن گواهی) به وقت تهران، مانند 1404-12.",
        "The Jalali month of the journal entry (or of the certificate's coming into force) in Tehran: 1404-12.",
    ),
    Definition(
        "duty_year",
        "",
        "سال عوارض",
        "Duty year",
        "سالی که عوارضش پرداخت شده است. رند کردن و شمار پرداخت به تازه‌ترین سال همان پرداخت می‌پیوندد.",
        "The year whose duty was paid. Rounding, and the payment's count, go with the newest year of the payment.",
    ),
    Definition(
        "vehicle_class",
        "",
        "نوع خودرو",
        "Vehicle class",
        "نوع خودرو در فهرست شهر هنگام پرداخت؛ unknown یعنی رویداد آن را نمی‌گوید.",
        "The vehicle's class in the city's roll when it was paid; unknown where the event does not tell it.",
    ),
    Definition(
        "channel",
        "",
        "روش پرداخت",
        "Channel",
        "online_owner: درگاه اینترنتی، پرداختی که خود مالک باز کرده است؛ online_office: درگاه اینترنتی، پرداختی "
        "که دفتری باز کرده است؛ online: درگاه اینترنتی، آنجا که رویداد نمی‌گوید چه کسی، یا این دو با هم آمده‌اند؛ "
        "office: کارت‌خوان دفتر، bank: قبض در بانک.",
        "online_owner: a payment gateway, opened by the owner himself; online_office: a payment gateway, opened "
        "by an office; online: a payment gateway, where the event does not say by whom, or where both are merged; "
        "office: a card terminal at an office; bank: a bill paid at a bank.",
    ),
    Definition(
        "wait",
        "",
        "فاصله",
        "Wait",
        "بازهٔ زمان تا گواهی: حداکثر یک دقیقه، پنج دقیقه، یک ربع، یک ساعت، یک روز، یا بیشتر.",
        "The range of the time to the certificate: at most a minute, five, fifteen, an hour, a day, or longer.",
    ),
    Definition(
        "rial",
        "rial",
        "ریال",
        "Rial",
        "جمع ردیف به ریال کامل، پس از کسر آنچه بازگردانده شده است؛ اگر بیش از وصول بازگردانده شده باشد، منفی است.",
        "The row's sum in whole rial, less what was given back; negative where that was more than what came in.",
    ),
    Definition(
        "count",
        "payments",
        "شمار",
        "Count",
        "شمار پرداخت‌ها یا گواهی‌ها؛ هر پرداخت یک بار، در تازه‌ترین سال خود. بازگرداندن شمرده نمی‌شود.",
        "Payments or certificates; each payment once, in its newest year. Refunds are not counted.",
    ),
    Definition(
        "budget",
        "rial",
        "کجا هزینه شد",
        "Where it went",
        "برنامه و عملکرد سال مالی شهر برای عوارض خودرو به تفکیک سرفصل، آن‌چنان که یک مأمور شهرداری وارد کرده است. "
        "از دفتر کل حساب نمی‌شود و سامانه درستی‌اش را نمی‌سنجد؛ تنها جمع‌ها سنجیده شده‌اند. هر نسخه برای همیشه "
        "می‌ماند.",
        "A city's plan and actuals for the vehicle duty in a fiscal year, by category, as an officer of the city "
        "entered them. Not computed from the ledger and not verified by the platform; only the sums are checked. "
        "Each version stays for ever.",
    ),
    Definition(
        "forecast",
        "rial",
        "پیش‌بینی سال",
        "Forecast of the year",
        "وصول تا امروز، تقسیم بر سهمی از کل سال که در سال‌های گذشته تا همین روز وصول شده بود؛ میانهٔ سال‌ها "
        "پیش‌بینی است "
        "و کمترین تا بیشترینشان بازهٔ آن. خطا: همین کار برای هر سال گذشته تنها از روی سال‌های دیگر، در پایان هر "
        "ماه؛ "
        "میانهٔ قدر مطلق خطا به درصدِ کل سال. روز هر گام، آخرین روز رویدادهای آن است.",
        "What is collected so far, divided by the share of the year's total that had come by the same day in past "
        "years; the median of the years is the forecast, from the least to the largest its interval. The error: "
        "the "
        "same done for each past year from the others alone, at the end of each month; the median absolute "
        "error in "
        "per cent of the year's total. A step counts on the last day of its events.",
    ),
    Definition(
        "collected_by_age",
        "rial",
        "سن عوارض وصول‌شده",
        "Arrears that came in, by age",
        "آنچه در هر سال وصول شده، بر پایهٔ اینکه عوارضِ چند سال پیش بوده است؛ untold یعنی سال عوارض در ردیف "
        "ادغام شده است.",
        "What came in each year, by how many years old the duty was; untold where the row's duty year is merged.",
    ),
    Definition(
        "effect",
        "ppm",
        "پیش و پس از یک اقدام",
        "Before and after a measure",
        "دو بازهٔ هم‌طول پیش و پس از روز اقدام، کنار همان دو بازه در سال پیش و در شهرهایی که چنین اقدامی "
        "نداشتند. تفاضل "
        "در تفاضل، تغییر شهر است منهای تغییری که به هر حال می‌بود. اثبات نیست: تنها تا آنجا درست است که شهر بی "
        "آن اقدام "
        "مانند گذشتهٔ خود یا مانند دیگران می‌رفت، و اقدام دیگری در همان روزها نبوده است.",
        "Two windows of equal length before and after the day of a measure, beside the same windows of the year "
        "before and of cities without such a measure. The difference in differences is the city's change less the "
        "change that would have been there anyway. It is no proof: it holds as far as the city would otherwise "
        "have "
        "moved like its own past or like the others, and nothing else happened on those days.",
    ),
    Definition(
        "merged",
        "",
        "ادغام‌شده",
        "Merged",
        "به جای یک مقدار: گروه‌های کمتر از پنج خودرو با هم آمده‌اند تا جمع‌ها دقیق بماند و هیچ خودرویی پیدا نشود.",
        "In place of a value: groups of fewer than five vehicles, put together so that totals stay exact and no "
        "vehicle can be found.",
    ),
)
BY_NAME: Final = {definition.name: definition for definition in DEFINITIONS}
