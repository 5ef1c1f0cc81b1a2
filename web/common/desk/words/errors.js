// What is said of a refusal or failure when the service’s own sentence is in another language: Persian first, English second.
export const ERRORS = {
  "error.network": ["ارتباط با سامانه برقرار نشد. اتصال را بررسی و دوباره تلاش کنید.", "The service could not be reached. Check the connection and try again."],
  "error.timeout": ["سامانه دیر پاسخ داد. دوباره تلاش کنید؛ کاری دو بار انجام نمی‌شود.", "The service took too long. Try again; nothing is done twice."],
  "error.busy": ["سامانه شلوغ است؛ لحظه‌ای دیگر تلاش کنید.", "The service is busy; try again in a moment."],
  "error.unknown": ["خطایی رخ داد. دوباره تلاش کنید.", "Something went wrong. Try again."],
  "error.forbidden": ["حساب شما اجازهٔ این کار را ندارد.", "Your account may not do this."],
  "error.credentials_refused": ["نام کاربری یا گذرواژه درست نیست.", "The user name or the password is not right."],
  "error.vehicle_not_found": ["خودرویی با این مشخصات یافت نشد.", "No such vehicle was found."],
  "error.plate_malformed": ["این پلاک درست نیست؛ بخش‌ها را بررسی کنید.", "This is not a plate; check its parts."],
  "error.tariff_missing": ["برای برخی سال‌های این خودرو تعرفه‌ای ثبت نشده است.", "Some years of this vehicle have no tariff."],
  "error.gateway_unavailable": ["درگاه پرداخت پاسخ نمی‌دهد؛ پولی کم نشده است.", "The gateway does not answer; no money was taken."],
  "error.outcome_unknown": ["نتیجه هنوز روشن نیست و در حال پیگیری است. دوباره پرداخت نکنید.", "The outcome is not known yet and is being cleared up. Do not pay again."],
  "error.payment_not_cancellable": ["این پرداخت دیگر لغوشدنی نیست.", "This payment can no longer be cancelled."],
  "error.certificate_in_preparation": ["گواهی در حال آماده شدن است.", "The certificate is being made."],
};
