// What the city spends the duty on: Persian first, English second.
export const BUDGET = {
  budgetTitle: ["هزینه‌کرد عوارض", "What the duty is spent on"],
  budgetLead: ["برنامه و عملکرد سال مالی؛ آنچه اینجا منتشر می‌کنید در صفحهٔ آمار عمومی دیده می‌شود و نسخه‌های پیشین می‌مانند.", "Plan and actuals of a fiscal year. What you publish here is seen on the page of the public figures, and earlier versions stay."],
  budgetYear: ["سال مالی", "Fiscal year"],
  budgetCategory: ["سرفصل", "Category"],
  budgetPlan: ["برنامه (ریال)", "Plan (rial)"],
  budgetActual: ["عملکرد (ریال)", "Spent (rial)"],
  budgetText: ["توضیح", "Note"],
  budgetTotal: ["جمع", "Total"],
  budgetPublish: ["انتشار", "Publish"],
  budgetPublished: ["نسخهٔ {version} منتشر شد.", "Version {version} is published."],
  budgetEmpty: ["دست کم یک سرفصل برنامه را پر کنید.", "Fill in one category of the plan at least."],
  budgetNotNumber: ["مبلغ را به ریال و با رقم بنویسید.", "Write the amount in whole rial."],
  budgetVersions: ["نسخه‌ها", "Versions"],
  budgetNone: ["هنوز چیزی منتشر نشده است.", "Nothing has been published yet."],
  budgetSee: ["دیدن در آمار عمومی", "See it among the public figures"],
};
