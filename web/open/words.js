// Every sentence of the page of figures, Persian first, English second.
import { digits, language } from "/common/text.js";

const WORDS = {
  title: ["آمار عمومی عوارض خودرو", "Public figures of the vehicle duty"],
  brand: ["عوارض سالیانهٔ خودرو", "Annual vehicle duty"],
  brandSub: ["آمار عمومی", "Public figures"],
  skip: ["رفتن به محتوا", "Skip to content"],
  switchLanguage: ["English", "فارسی"],
  lead: ["هر رقم این صفحه از رویدادهای دفتر کل شهر حساب شده و تا یک ریال با آن برابر است. گروه‌های کمتر از پنج خودرو ادغام شده‌اند تا هیچ پلاکی پیدا نشود؛ جمع‌ها دقیق‌اند.", "Every figure here is computed from the events of the city’s ledger and equals it to the rial. Groups of fewer than five vehicles are merged, so that no plate can be found; the sums are exact."],
  publication: ["انتشار شمارهٔ {number}، {at}", "Publication {number}, {at}"],
  loading: ["در حال دریافت…", "Loading…"],
  nothingYet: ["هنوز آماری منتشر نشده است.", "Nothing has been published yet."],
  failed: ["آمار دریافت نشد. اتصال را بررسی و دوباره تلاش کنید.", "The figures could not be fetched. Check the connection and try again."],
  retry: ["تلاش دوباره", "Try again"],
  city: ["شهر", "City"],
  allCities: ["همهٔ شهرهای منتشرشده", "All published cities"],
  year: ["سال وصول", "Year of collection"],
  allYears: ["همهٔ سال‌ها", "All years"],
  left: ["ماندهٔ شهر پس از بازگرداندن‌ها", "Left to the city after refunds"],
  payments: ["شمار پرداخت‌ها", "Payments"],
  online: ["سهم پرداخت اینترنتی", "Paid online"],
  quick: ["گواهی تا یک دقیقه پس از پرداخت", "Certificate within a minute"],
  ofMoney: ["از مبلغ، آنجا که روش گفته شده", "of the money, where the channel is told"],
  ofCertificates: ["از گواهی‌ها", "of certificates"],
  rial: ["ریال", "rial"],
  billion: ["میلیارد ریال", "billion rial"],
  budget: ["کجا هزینه شد", "Where it went"],
  budgetLead: ["آنچه شهرداری برای سال مالی {year} دربارهٔ هزینه‌کرد عوارض خودرو منتشر کرده است.", "What the city published for its fiscal year {year} on what the vehicle duty is spent on."],
  budgetNone: ["این شهر هنوز نگفته است که عوارض را کجا هزینه می‌کند.", "This city has not yet said what it spends the duty on."],
  budgetYear: ["سال مالی", "Fiscal year"],
  budgetPlan: ["برنامه", "Plan"],
  budgetActual: ["عملکرد", "Spent"],
  budgetTotal: ["جمع", "Total"],
  budgetCategory: ["سرفصل", "Category"],
  budgetCollected: ["وصول سال {year} در دفتر کل این شهر:", "Collected in {year}, by the city’s ledger:"],
  budgetVersion: ["نسخهٔ {version}، {at}", "Version {version}, {at}"],
  budgetVersions: ["نسخه‌های پیشین", "Earlier versions"],
  planTitle: ["برای برنامه‌ریزان", "For planners"],
  planLead: ["پیش‌بینی وصول سال با خطای آن، سن عوارضی که وصول می‌شود، و مقایسهٔ پیش و پس از یک یادآوری یا تخفیف.", "A forecast of the year with its error, how old the arrears are that come in, and before and after a reminder or a discount."],
  planOpen: ["نمایش", "Show"],
  planNone: ["برای این شهر هنوز پرونده‌ای برای برنامه‌ریزان نیست؛ با انتشار بعدی می‌آید.", "There are no files for planners of this city yet; they come with its next publication."],
  planForecast: ["پیش‌بینی وصول سال {year}", "Forecast of {year}"],
  planNoForecast: ["پیش‌بینی دست کم یک سال گذشتهٔ کامل می‌خواهد.", "A forecast needs at least one whole past year."],
  planMethod: ["وصول تا {at} تقسیم بر سهمی که در {years} سال گذشته تا همین روز وصول شده بود؛ میانهٔ سال‌ها.", "Collected to {at}, divided by the share that had come by the same day in {years} past years; the median of them."],
  planSoFar: ["وصول تا امروز", "Collected so far"],
  planWhole: ["پیش‌بینی کل سال", "The whole year"],
  planInterval: ["بازه: از کندترین تا تندترین سال گذشته", "Interval: from the least to the most of past years"],
  planError: ["خطای میانه در آزمون بر سال‌های گذشته", "Median error, tested on past years"],
  planTested: ["{tested} سال، {inside} در بازه", "{tested} years, {inside} inside their interval"],
  planUntested: ["دست کم دو سال می‌خواهد", "needs two years"],
  planTotal: ["کل سال (ریال)", "Whole year (rial)"],
  planShare: ["سهم تا همین روز", "Share by this day"],
  planAlike: ["پیش‌بینی اگر مانند آن سال باشد", "Forecast if like that year"],
  planBy: ["پایان ماه", "End of month"],
  planMedian: ["خطای میانه", "Median error"],
  planWorst: ["بدترین خطا", "Worst error"],
  planInside: ["در بازه", "Inside"],
  planBacktest: ["آزمون بر سال‌های گذشته", "Test on past years"],
  planCaveat: ["پیش‌بینی از تعرفهٔ تازه، تغییر قیمت خودرو یا اقدامی که سال‌های گذشته نداشته‌اند خبر ندارد.", "It does not know of a new tariff, of prices of cars, or of a measure that past years had not."],
  planChart: ["وصول هر سال ماه به ماه؛ پیش‌بینی میان {low} و {high} میلیارد ریال", "Each year’s collection by month; forecast between {low} and {high} billion rial"],
  planAges: ["سن عوارض وصول‌شده (ریال)", "Arrears that came in, by age (rial)"],
  "age.same_year": ["همان سال", "Same year"], "age.1_year": ["۱ سال", "1 year"], "age.2_years": ["۲ سال", "2 years"],
  "age.3_to_5_years": ["۳ تا ۵ سال", "3 to 5 years"], "age.older": ["بیشتر", "Older"], "age.untold": ["ادغام‌شده", "Merged"],
  effectTitle: ["پیش و پس از یک اقدام", "Before and after a measure"],
  effectLead: ["روز یادآوری یا تخفیف را بنویسید. دو بازهٔ هم‌طول پیش و پس از آن با سال پیش و با شهرهای بی آن اقدام مقایسه می‌شود.", "Enter the day of the reminder or the discount. Two windows of equal length are compared with the year before and with cities that had no such measure."],
  effectUntil: ["آمار تا {at} است.", "The figures reach to {at}."],
  effectDay: ["روز اقدام", "Day of the measure"],
  effectDays: ["روزهای هر بازه", "Days in each window"],
  effectAgainst: ["شهرهای بدون این اقدام", "Cities without this measure"],
  effectCompare: ["مقایسه", "Compare"],
  effectTable: ["جدول مقایسه", "The comparison"],
  effectBefore: ["پیش (ریال)", "Before (rial)"],
  effectAfter: ["پس (ریال)", "After (rial)"],
  effectChange: ["تغییر", "Change"],
  effectCity: ["این شهر", "This city"],
  effectCityBefore: ["این شهر، سال پیش", "This city, a year before"],
  effectOthers: ["شهرهای دیگر", "The other cities"],
  effectOthersBefore: ["شهرهای دیگر، سال پیش", "The other cities, a year before"],
  effectOverYear: ["بیش از سال پیش خود", "Over its own year before"],
  effectOverOthers: ["بیش از دیگران", "Over the others"],
  effectOverBoth: ["تفاضل در تفاضل", "Difference in differences"],
  effectPoints: ["واحد درصد", "percentage points"],
  effectCaveat: ["اثبات نیست: تنها تا آنجا درست است که شهر بی آن اقدام مانند گذشتهٔ خود یا مانند دیگران می‌رفت.", "It is no proof: it holds as far as the city would otherwise have moved like its own past or like the others."],
  noFigures: ["از این شهر هنوز آماری منتشر نشده است.", "No figures of this city have been published yet."],
  month: ["ماه", "Month"],
  amount: ["مبلغ (ریال)", "Amount (rial)"],
  count: ["شمار", "Count"],
  share: ["سهم", "Share"],
  byMonth: ["وصول ماه به ماه", "Collected by month"],
  byYear: ["وصول سال به سال", "Collected by year"],
  byCity: ["شهرها", "Cities"],
  byClass: ["نوع خودرو", "Class of vehicle"],
  byChannel: ["روش پرداخت", "Channel of payment"],
  byDutyYear: ["سال عوارض", "Duty year"],
  byWait: ["زمان تا گواهی", "Time to certificate"],
  byProvince: ["نقشهٔ استان‌ها", "Map of the provinces"],
  mapNote: ["هر خانه یک استان است و تقریباً در جای خود؛ پررنگ‌تر یعنی وصول بیشتر.", "Each tile is a province, about where it lies; darker means more was collected."],
  noCity: ["شهری منتشر نشده", "no city published"],
  province: ["استان", "Province"],
  asTable: ["جدول این نمودار", "The table of this chart"],
  definition: ["تعریف", "Definition"],
  definitions: ["تعریف‌ها", "Definitions"],
  files: ["پرونده‌ها و تعهد", "Files and commitment"],
  filesNote: ["نام هر پرونده چکیدهٔ SHA-256 محتوای آن است و هرگز تغییر نمی‌کند.", "Each file’s name is the SHA-256 of its content, and it never changes."],
  commitment: ["تا رویداد {sequence} دفتر این شهر", "Through event {sequence} of the city’s ledger"],
  recompute: ["هر کس می‌تواند آمار را از پرونده‌ها دوباره حساب کند:", "Anybody can recompute the figures from the files:"],
  manifest: ["فهرست این انتشار", "Manifest of this publication"],
  footer: ["بدون ردیابی و بدون درخواست به جای دیگر.", "No tracking, and no request to anywhere else."],
  merged: ["ادغام‌شده", "merged"],
  unknown: ["نامعلوم", "unknown"],
  passenger: ["سواری", "Passenger car"], pickup_double: ["وانت دوکابین", "Double-cab pickup"], pickup_single: ["وانت تک‌کابین", "Single-cab pickup"],
  van: ["ون", "Van"], minibus: ["مینی‌بوس", "Minibus"], bus: ["اتوبوس", "Bus"], truck: ["کامیون", "Truck"], motorcycle: ["موتورسیکلت", "Motorcycle"],
  taxi: ["تاکسی", "Taxi"], ambulance: ["آمبولانس", "Ambulance"], other: ["دیگر", "Other"],
  "channel.online": ["اینترنتی (درگاه)", "Online (gateway)"], "channel.office": ["دفتر (کارت‌خوان)", "Office (terminal)"], "channel.bank": ["بانک (قبض)", "Bank (bill)"],
  "wait.1_minute": ["تا ۱ دقیقه", "≤ 1 min"], "wait.5_minutes": ["تا ۵ دقیقه", "≤ 5 min"], "wait.15_minutes": ["تا ۱۵ دقیقه", "≤ 15 min"],
  "wait.1_hour": ["تا ۱ ساعت", "≤ 1 h"], "wait.1_day": ["تا ۱ روز", "≤ 1 day"], "wait.longer": ["بیشتر", "longer"],
};

const MONTHS = [["فروردین", "Far"], ["اردیبهشت", "Ord"], ["خرداد", "Kho"], ["تیر", "Tir"], ["مرداد", "Mor"], ["شهریور", "Sha"], ["مهر", "Meh"], ["آبان", "Aba"], ["آذر", "Aza"], ["دی", "Dey"], ["بهمن", "Bah"], ["اسفند", "Esf"]];

const place = () => (language() === "fa" ? 0 : 1);

/** The sentence in the reader's language, its {places} filled. */
export function t(name, values = {}) {
  const text = (WORDS[name] ?? [name, name])[place()];
  return text.replace(/\{(\w+)\}/g, (_, key) => String(values[key] ?? ""));
}

/** The name of a value of a column. */
export function named(column, value) {
  if (WORDS[`${column}.${value}`]) return t(`${column}.${value}`);
  if (column === "month" && /^\d{4}-\d{2}$/.test(value)) return `${MONTHS[Number(value.slice(5)) - 1][place()]} ${digits(value.slice(0, 4))}`;
  if (WORDS[value]) return t(value);
  return digits(value.replace("-merged", `، ${t("merged")}`));
}

/** The month's name alone. */
export function monthName(value) {
  return MONTHS[Number(value.slice(5)) - 1][place()];
}
