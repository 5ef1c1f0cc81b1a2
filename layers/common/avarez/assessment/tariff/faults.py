"""Everything that can be wrong with a tariff, as one table: what is wrong, and how to mend it, in both languages.

A fault names the file, the row, the member and the rule that was broken. Faults of reading (`reader.py`) make a
tariff unusable; those of the review (`review/`) keep a draft from being published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from avarez.errors import FieldError, TariffInvalid

SHOWN_MAX: Final = 5
"""Faults named in the one sentence of the refusal; `errors` holds them all."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of writing a tariff; the texts take a fault's values by name."""

    en: str
    fa: str
    mend_en: str
    mend_fa: str


RULES: Final[Mapping[str, Rule]] = {
    # -- files -------------------------------------------------------------------------------------
    "no_files": Rule(
        "between 1 and {most} .json files are needed here",
        "این‌جا باید از ۱ تا {most} فایل ‎.json باشد",
        "name the directory that holds the tariff's files",
        "پوشهٔ فایل‌های تعرفه را نام ببرید",
    ),
    "file_too_large": Rule(
        "the file is larger than {most} bytes",
        "فایل از {most} بایت بزرگ‌تر است",
        "split it into several files",
        "آن را به چند فایل تقسیم کنید",
    ),
    "not_json": Rule(
        "not JSON in UTF-8: {reason}",
        "فایل JSON با UTF-8 نیست: {reason}",
        "mend the place that is named; each key stands once in an object",
        "جای نام‌برده را درست کنید؛ هر کلید در هر شیء یک بار می‌آید",
    ),
    "wrong_schema": Rule(
        "a JSON object with schema {schema} is needed",
        "یک شیء JSON با schema برابر {schema} لازم است",
        'write "schema": {schema} at the top',
        "در بالای فایل \"schema\": {schema} بنویسید",
    ),
    "file_member_unknown": Rule(
        "a tariff's file has no member {names}",
        "فایل تعرفه بخشی به نام {names} ندارد",
        "leave it out, or put the text under remarks",
        "آن را بردارید یا در remarks بنویسید",
    ),
    "list_needed": Rule(
        "must be a list of objects",
        "باید فهرستی از شیءها باشد",
        "write it between [ and ]",
        "آن را میان [ و ] بنویسید",
    ),
    "too_many_rows": Rule(
        "more than {most} rows",
        "بیش از {most} سطر",
        "use catalogue nodes, classes and ranges, so that one row holds for many vehicles",
        "با گره‌های فهرست خودروها، گروه‌ها و بازه‌ها سطرها را یکی کنید",
    ),
    "too_many_alike": Rule(
        "{count} rows of kind {kind} hold for class {name} at one catalogue node; they cannot be compared",
        "{count} سطر از نوع {kind} برای گروه {name} در یک گره است؛ مقایسهٔ آن‌ها ممکن نیست",
        "give each its own catalogue node, or merge them into ranges",
        "برای هر یک گرهٔ جداگانه بدهید یا در بازه‌ها یکی کنید",
    ),
    # -- laws and catalogue ------------------------------------------------------------------------
    "law_incomplete": Rule(
        "a law needs id, cite_fa and cite_en",
        "هر قانون id و cite_fa و cite_en می‌خواهد",
        "write all three as texts",
        "هر سه را به‌صورت متن بنویسید",
    ),
    "law_repeated": Rule(
        "two laws have this id",
        "دو قانون این شناسه را دارند",
        "leave one of them",
        "یکی را بردارید",
    ),
    "law_unknown": Rule(
        "no law has the id {value}",
        "قانونی با شناسهٔ {value} نیست",
        "add it under laws, or write the id of one that stands there",
        "آن را زیر laws بیفزایید یا شناسهٔ یکی از آن‌ها را بنویسید",
    ),
    "law_missing": Rule(
        "no law is named",
        "قانونی نام برده نشده است",
        "choose the law that the value stands in",
        "قانونی را که این مقدار در آن است برگزینید",
    ),
    "node_malformed": Rule(
        "a catalogue node is a dotted path of lower-case letters, digits and dashes, with name_fa and name_en",
        "گرهٔ فهرست، مسیری نقطه‌دار از حروف کوچک لاتین، رقم و خط تیره است با name_fa و name_en",
        "write it like iran-khodro.samand.lx",
        "آن را مانند iran-khodro.samand.lx بنویسید",
    ),
    "node_parent_missing": Rule(
        "the node {value} above it is not in the catalogue",
        "گرهٔ بالادست {value} در فهرست نیست",
        "add the node {value}",
        "گرهٔ {value} را بیفزایید",
    ),
    "node_unknown": Rule(
        "no catalogue node {value}",
        "گره‌ای به نام {value} در فهرست نیست",
        "write a node of the catalogue, or add it there",
        "گره‌ای از فهرست را بنویسید یا آن را به فهرست بیفزایید",
    ),
    "match_malformed": Rule(
        "matches lists objects with make and, if one model is meant, model",
        "matches فهرستی از شیءهاست با make و اگر یک مدل منظور است model",
        'write it like {{"make": "…", "model": "…"}}',
        'آن را مانند {{"make": "…", "model": "…"}} بنویسید',
    ),
    "match_repeated": Rule(
        "the same make and model belong to the node {other} already",
        "همین سازنده و مدل از آنِ گرهٔ {other} است",
        "leave it at one node",
        "آن را فقط در یک گره نگه دارید",
    ),
    # -- rows --------------------------------------------------------------------------------------
    "kind_unknown": Rule(
        "no kind of row: one of {names} is needed",
        "نوع سطر درست نیست؛ یکی از {names} لازم است",
        "write one of them",
        "یکی از آن‌ها را بنویسید",
    ),
    "id_malformed": Rule(
        "an id of lower-case letters, digits, dots and dashes is needed",
        "شناسه‌ای از حروف کوچک لاتین، رقم، نقطه و خط تیره لازم است",
        "write one that says what the row is",
        "شناسه‌ای بنویسید که بگوید سطر چیست",
    ),
    "id_repeated": Rule(
        "another row has this id",
        "سطر دیگری همین شناسه را دارد",
        "give one of them another id",
        "به یکی شناسهٔ دیگری بدهید",
    ),
    "member_unknown": Rule(
        "a row of kind {kind} has no such member",
        "سطری از نوع {kind} چنین بخشی ندارد",
        "leave it out; docs/tariff.md lists the members of each kind",
        "آن را بردارید؛ بخش‌های هر نوع در docs/tariff.md آمده است",
    ),
    "text_missing": Rule(
        "a text is needed", "یک متن لازم است", "write it", "آن را بنویسید"
    ),
    "reference_missing": Rule(
        "no reference: where the value was read is not said",
        "مرجع نیامده است: معلوم نیست مقدار از کجا خوانده شده",
        "write the text, resolution or circular from which it comes",
        "متن قانون، مصوبه یا بخشنامه‌ای را که از آن آمده بنویسید",
    ),
    "flag_malformed": Rule(
        "true or false is needed", "true یا false لازم است", "write it without quotes", "بدون گیومه بنویسید"
    ),
    "duty_years_missing": Rule(
        "the first and the last duty year are needed",
        "نخستین و آخرین سال عوارض لازم است",
        "write them as [1395, 1400]",
        "مانند [1395, 1400] بنویسید",
    ),
    "choice_unknown": Rule(
        "not one of {names}",
        "یکی از {names} نیست",
        "write some of them",
        "از میان آن‌ها بنویسید",
    ),
    "range_malformed": Rule(
        "two whole numbers from {low} to {high} are needed, the lower one first",
        "دو عدد صحیح از {low} تا {high} لازم است، نخست کوچک‌تر",
        "write them as [{low}, {high}]",
        "مانند [{low}, {high}] بنویسید",
    ),
    "number_malformed": Rule(
        "a whole number from {low} to {high} is needed",
        "عددی صحیح از {low} تا {high} لازم است",
        "write it without quotes and without a decimal point",
        "بدون گیومه و بدون ممیز بنویسید",
    ),
    "rate_malformed": Rule(
        "not a rate in whole parts per million",
        "نرخی بر حسب عدد صحیح در میلیون نیست",
        'write it like "1.5/1000" or "2/100"',
        'مانند "1.5/1000" یا "2/100" بنویسید',
    ),
    "rate_over_whole": Rule(
        "more than a hundred per cent",
        "بیش از صد درصد است",
        'write at most "100/100"',
        'حداکثر "100/100" بنویسید',
    ),
    "amount_malformed": Rule(
        "not whole rial above zero",
        "مبلغ صحیح بزرگ‌تر از صفر به ریال نیست",
        'write digits in quotes, like "150000"',
        'با رقم و در گیومه بنویسید، مانند "150000"',
    ),
    "date_malformed": Rule(
        "no Jalali date that exists",
        "تاریخ شمسی درستی نیست",
        "write it like 1400-10-13, or null for an open end",
        "مانند 1400-10-13 بنویسید، یا null برای سر باز",
    ),
    "period_reversed": Rule(
        "the period ends before it begins",
        "دوره پیش از آغاز پایان می‌یابد",
        "exchange the two dates",
        "جای دو تاریخ را عوض کنید",
    ),
    "rate_or_flat": Rule(
        "either rate or flat_rial is needed, and not both",
        "یا rate یا flat_rial لازم است و نه هر دو",
        "leave one of them",
        "یکی را نگه دارید",
    ),
    "relief_of_mixed": Rule(
        "of must be some of principal, surcharge, pollution; or penalty alone; or total alone",
        "of باید از میان principal و surcharge و pollution باشد؛ یا تنها penalty؛ یا تنها total",
        "write a row of its own for each",
        "برای هر یک سطری جداگانه بنویسید",
    ),
    "place_malformed": Rule(
        '"national" or a list of codes of municipalities is needed',
        '"national" یا فهرستی از کد شهرداری‌ها لازم است',
        'write "national" or ["SHIRAZ"]',
        '"national" یا ["SHIRAZ"] بنویسید',
    ),
    "place_unknown": Rule(
        "no municipality has the code {names}",
        "شهرداری‌ای با کد {names} نیست",
        "write a code of GET /v1/municipalities",
        "کدی از GET /v1/municipalities بنویسید",
    ),
    "class_national": Rule(
        "the law leaves no city the principal of {names}",
        "قانون تعیین اصل عوارض {names} را به هیچ شهری نسپرده است",
        "leave these classes out of the city's row",
        "این گروه‌ها را از سطر شهر بردارید",
    ),
    "foreign_place": Rule(
        "a municipality's draft speaks of {names}",
        "پیش‌نویس شهرداری دربارهٔ {names} سخن می‌گوید",
        "write rows for your own city only; national rows are the operator's",
        "فقط برای شهر خود سطر بنویسید؛ سطرهای ملی کار راهبر سامانه است",
    ),
    "kind_national": Rule(
        "no city sets a row of kind {kind}",
        "هیچ شهری سطری از نوع {kind} نمی‌نویسد",
        "leave the row out; it is national",
        "سطر را بردارید؛ این نوع ملی است",
    ),
    "setting_national": Rule(
        "a city chooses only {names}",
        "شهر فقط {names} را تعیین می‌کند",
        "leave the member out; the reading of the law is national",
        "این بخش را بردارید؛ برداشت از قانون ملی است",
    ),
    # -- rows together -----------------------------------------------------------------------------
    "overlap": Rule(
        "holds for the same vehicle and year as {other}, so the amount would be left to chance",
        "برای همان خودرو و سالی است که {other} هست؛ مبلغ معلوم نمی‌شود",
        "narrow one of the two rows: years, places, classes, fuels, ranges or node",
        "یکی از دو سطر را با سال، شهر، گروه، سوخت، بازه یا گره محدود کنید",
    ),
    "setting_overlap": Rule(
        "holds on the same day in the same place as {other}",
        "در همان روز و همان جایی است که {other} هست",
        "end the earlier one the day before",
        "پیشین را تا روز پیش از آن محدود کنید",
    ),
    "penalty_gap": Rule(
        "{other} begins in another month than {expected}",
        "{other} در ماهی جز {expected} آغاز می‌شود",
        "let each penalty row begin on the day after the one before it ends",
        "هر سطر جریمه باید از فردای پایان سطر پیشین آغاز شود",
    ),
    "penalty_missing": Rule(
        "penalty rows are needed for all time",
        "سطرهای جریمه باید همهٔ زمان‌ها را بپوشانند",
        "write null for the first beginning and the last end",
        "برای نخستین آغاز و آخرین پایان null بنویسید",
    ),
    # -- review ------------------------------------------------------------------------------------
    "gap_in_years": Rule(
        "class {name} has a principal before and after duty years {years} but none in them",
        "گروه {name} پیش و پس از سال‌های {years} اصل عوارض دارد ولی در آن‌ها ندارد",
        "extend duty_years of a row, or add one for these years",
        "duty_years سطری را گسترش دهید یا برای این سال‌ها سطری بیفزایید",
    ),
    "gap_in_bands": Rule(
        "in duty years {years} class {name} has no principal for {facts}, though it has for others",
        "در سال‌های {years} گروه {name} برای {facts} اصل عوارض ندارد، با آن‌که برای دیگران دارد",
        "extend a range of the rows, or add a row for these vehicles",
        "بازهٔ سطری را گسترش دهید یا برای این خودروها سطری بیفزایید",
    ),
    "unreachable_model_years": Rule(
        "no vehicle of these model years exists in these duty years",
        "در این سال‌های عوارض خودرویی با این سال ساخت نیست",
        "mend model_years or duty_years",
        "model_years یا duty_years را درست کنید",
    ),
    "unreachable_behind": Rule(
        "every vehicle that it could hold for is taken by {names}, which go first",
        "هر خودرویی که این سطر برایش باشد زیر {names} است که مقدم‌اند",
        "leave the row out, or narrow those that go before it",
        "سطر را بردارید یا سطرهای مقدم را محدود کنید",
    ),
    "unreachable_no_principal": Rule(
        "no row gives these vehicles a principal in these years, so this one is never applied",
        "هیچ سطری به این خودروها در این سال‌ها اصل عوارض نمی‌دهد؛ این سطر هرگز به کار نمی‌رود",
        "mend duty_years or classes, or add the principal",
        "duty_years یا classes را درست کنید یا اصل عوارض را بیفزایید",
    ),
    "unreachable_excepted": Rule(
        "all of its fuels are excepted by itself",
        "همهٔ سوخت‌های این سطر را خودش استثنا کرده است",
        "mend fuels or excepted_fuels",
        "fuels یا excepted_fuels را درست کنید",
    ),
    "unreachable_relief": Rule(
        "nothing of {names} arises for these vehicles and years, so nothing can be taken off",
        "برای این خودروها و سال‌ها چیزی از {names} پدید نمی‌آید تا کسر شود",
        "mend of, duty_years or the period",
        "of یا duty_years یا دوره را درست کنید",
    ),
    "bands_fall": Rule(
        "gives {mine} for {band}, less than {other} gives below it ({theirs})",
        "برای {band} مقدار {mine} می‌دهد که از {other} برای بازهٔ پایین‌تر ({theirs}) کمتر است",
        "mend the value; if the law means it, write band_may_fall: true and say so in reference",
        "مقدار را درست کنید؛ اگر قانون چنین می‌گوید band_may_fall: true بنویسید و در reference بگویید",
    ),
    "retroactive": Rule(
        "changes what was published for duty years {years}",
        "آنچه را برای سال‌های {years} منتشر شده است دگرگون می‌کند",
        "leave published years as they are, or name the change under adjustments with its law and reference",
        "سال‌های منتشرشده را دست نزنید یا تغییر را زیر adjustments با قانون و مرجع بنویسید",
    ),
    "retroactive_days": Rule(
        "changes what was in force before {day}",
        "آنچه را پیش از {day} برقرار بود دگرگون می‌کند",
        "end the old row yesterday and begin a new one, or name the change under adjustments",
        "سطر پیشین را تا دیروز پایان دهید و سطری تازه بیاورید یا تغییر را زیر adjustments بنویسید",
    ),
    "unchanged": Rule(
        "the draft is what is in force already",
        "پیش‌نویس همان است که برقرار است",
        "change something, or withdraw the draft",
        "چیزی را تغییر دهید یا پیش‌نویس را پس بگیرید",
    ),
    "adjustment_idle": Rule(
        "adjusts duty years {years}, in which nothing changes",
        "سال‌های {years} را تعدیل می‌کند ولی چیزی در آن‌ها تغییر نمی‌کند",
        "leave the adjustment out",
        "تعدیل را بردارید",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule. `file` is empty for a document that came without files."""

    rule: str
    row: str
    member: str = ""
    file: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pointer(self) -> str:
        """`/file/row/member`, without what is not known."""
        return "".join(f"/{part}" for part in (self.file, self.row, self.member) if part)

    @property
    def message_en(self) -> str:
        """What is wrong and how to mend it."""
        rule = RULES[self.rule]
        return f"{rule.en.format(**self.values)}; mend: {rule.mend_en.format(**self.values)}"

    @property
    def message_fa(self) -> str:
        """The same in Persian."""
        rule = RULES[self.rule]
        return f"{rule.fa.format(**self.values)}؛ راه درست: {rule.mend_fa.format(**self.values)}"

    def field_error(self) -> FieldError:
        """The fault as an answer's error; its code is the rule."""
        return FieldError(self.pointer, self.rule, self.message_en, self.message_fa)


def invalid(faults: Sequence[Fault]) -> TariffInvalid:
    """The refusal that holds all of them."""
    return TariffInvalid(
        "The tariff cannot be used: " + ". ".join(f"{f.pointer}: {f.message_en}" for f in faults[:SHOWN_MAX]),
        "تعرفه پذیرفتنی نیست: " + ". ".join(f"{f.pointer}: {f.message_fa}" for f in faults[:SHOWN_MAX]),
        errors=[fault.field_error() for fault in faults],
    )
