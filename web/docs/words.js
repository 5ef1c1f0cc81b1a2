// The page's own words; what it shows of the document is English, as the document is.
import { language } from "/common/text.js";

const WORDS = {
  title: ["رابط برنامه‌نویسی", "Programming interface"],
  brand: ["عوارض خودرو", "Vehicle duty"],
  skip: ["رفتن به محتوا", "Skip to the content"],
  switchLanguage: ["English", "فارسی"],
  lead: ["هر نشانی، هر که می‌تواند آن را بخواند، آنچه می‌گیرد و آنچه پاسخ می‌دهد. توضیح‌ها به انگلیسی است.", "Every address: who may call it, what it takes, what it answers."],
  download: ["پروندهٔ OpenAPI 3.1", "The OpenAPI 3.1 document"],
  search: ["جست‌وجو در نشانی‌ها و توضیح‌ها", "Search addresses and summaries"],
  found: ["{count} نشانی", "{count} addresses"],
  none: ["نشانی‌ای با این عبارت نیست.", "No address has these words."],
  everyone: ["همگان", "Everyone"],
  scope: ["مجوز", "Scope"],
  takes: ["می‌گیرد", "Takes"],
  answers: ["پاسخ", "Answers"],
  field: ["نام", "Name"],
  kind: ["نوع", "Type"],
  place: ["کجا", "Where"],
  body: ["بدنه", "body"],
  required: ["لازم", "required"],
  refusals: ["ردها", "Refusals"],
  refusalsText: ["سند خطای RFC 9457 با این کدها:", "A problem document (RFC 9457) with one of these codes:"],
  failed: ["سند دریافت نشد. اتصال را بررسی کنید و دوباره تلاش کنید.", "The document did not come. Check the connection and try again."],
  retry: ["تلاش دوباره", "Try again"],
  groups: {
    assess: ["برآورد، خودروها، فهرست‌ها، تعرفه", "Assessment, vehicles, rolls, tariffs"],
    pay: ["پرداخت، دفتر کل، تسویه", "Payments, ledger, settlement"],
    certify: ["گواهی‌ها", "Certificates"],
    report: ["آمار عمومی", "Public figures"],
    verify: ["راستی‌آزمایی", "Verification"],
    identity: ["ورود و کاربران", "Sign-in and officers"],
  },
};

/** The word in the page's language; `{name}` is filled in. */
export function t(name, values = {}) {
  const found = name.split(".").reduce((part, key) => part?.[key], WORDS) ?? [name.split(".").at(-1), name.split(".").at(-1)];
  return found[language() === "fa" ? 0 : 1].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}
