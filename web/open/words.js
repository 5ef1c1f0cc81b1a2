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
  allFigures: ["آمار این شهر", "The city’s figures"],
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
