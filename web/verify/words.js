// What each verdict and reason means, in both languages at once: [Persian, English].

/** tone: colour; icon: shape, so that colour is never the only sign; says: the verdict; advice: what to do. */
export const VERDICTS = {
  checking: { tone: "wait", icon: "question", says: ["در حال بررسی…", "Checking…"], advice: ["", ""] },
  idle: { tone: "idle", icon: "shield", says: ["گواهی را بررسی کنید", "Check a certificate"], advice: ["رمزینهٔ گواهی را با دوربین گوشی بخوانید، یا پیوند آن را در کادر زیر بچسبانید.", "Scan the certificate’s code with the phone’s camera, or paste its link below."] },
  valid: { tone: "good", icon: "check", says: ["معتبر است", "VALID"], advice: ["پلاک زیر را با پلاک خودرو مقایسه کنید.", "Compare the plate below with the plate on the car."] },
  signature_good: { tone: "warn", icon: "warn", says: ["امضا درست است؛ وضعیت بررسی نشد", "Signature good, status not checked"], advice: ["شبکه در دسترس نیست. شاید گواهی پس از صدور باطل شده باشد؛ با وصل شدن شبکه دوباره بررسی کنید.", "No network. The certificate may have been revoked since; check again once online."] },
  revoked: { tone: "bad", icon: "cross", says: ["باطل شده است", "REVOKED"], advice: ["این گواهی را نپذیرید.", "Do not accept this certificate."] },
  superseded: { tone: "bad", icon: "cross", says: ["گواهی تازه‌ای جای آن آمده است", "SUPERSEDED"], advice: ["نسخهٔ تازه را از مالک بخواهید.", "Ask the owner for the newer one."] },
  tampered: { tone: "bad", icon: "cross", says: ["دست‌کاری شده است", "TAMPERED"], advice: ["این گواهی جعلی است یا تغییر کرده؛ آن را نپذیرید.", "This certificate is forged or was changed. Do not accept it."] },
  unknown: { tone: "bad", icon: "question", says: ["ناشناخته است", "UNKNOWN"], advice: ["چنین گواهی‌ای صادر نشده است؛ آن را نپذیرید.", "No such certificate was issued. Do not accept it."] },
  unreadable: { tone: "plain", icon: "question", says: ["خوانا نیست", "UNREADABLE"], advice: ["رمزینه را دوباره بخوانید یا همهٔ پیوند را بچسبانید.", "Scan the code again, or paste the whole link."] },
  cannot_tell: { tone: "warn", icon: "warn", says: ["نمی‌توان گفت", "CANNOT TELL"], advice: ["این گواهی نه تأیید شد و نه رد؛ دوباره بررسی کنید.", "Neither confirmed nor refuted. Check again."] },
};

/** Reasons by the codes of `avarez.certificates.verification`, and three of the page's own. */
export const REASONS = {
  in_force: ["گواهی اصیل و در حال حاضر معتبر است.", "The certificate is genuine and in force."],
  text_incomplete: ["متن کامل نیست یا رقم‌هایی کم دارد.", "The text is incomplete or digits are missing."],
  no_message_in_file: ["در این فایل گواهی‌ای نیست.", "There is no certificate in this file."],
  code_mistyped: ["کد کوتاه درست تایپ نشده است؛ دوازده رقم آن را دوباره بخوانید.", "The short code was mistyped; read its twelve digits again."],
  message_malformed: ["محتوای رمزینه گواهی نیست.", "The code does not hold a certificate."],
  key_unknown: ["با کلید ما امضا نشده است.", "It was not signed with a key of ours."],
  keys_missing: ["کلیدهای بررسی در دسترس نیست؛ یک بار به شبکه وصل شوید.", "The keys are not at hand; connect to the network once."],
  signature_bad: ["امضا با محتوا نمی‌خواند.", "The signature does not fit the content."],
  payload_malformed: ["محتوای امضاشده خوانا نیست.", "The signed content cannot be read."],
  version_unknown: ["این گواهی از نسخه‌ای تازه‌تر است؛ صفحه را تازه کنید.", "This certificate is of a newer version; reload the page."],
  key_compromised: ["کلید امضا لو رفته است و ثبت گواهی پیش از آن اثبات نشده؛ به شبکه وصل شوید یا فایل گواه ثبت آن را نشان دهید.", "The signing key was stolen, and it is not proven that this certificate was logged before. Connect to the network, or show its proof file."],
  not_logged_before_compromise: ["با کلید لورفته امضا شده و در دفتر شفافیت ثبت نیست.", "It was signed with a stolen key and is not in the transparency log."],
  record_unreachable: ["دفتر گواهی‌ها در دسترس نیست؛ کمی بعد دوباره بررسی کنید.", "The register cannot be reached; check again in a while."],
  certificate_unknown: ["این شماره در دفتر گواهی‌ها نیست.", "This number is not in the register."],
  message_differs: ["محتوا با آنچه صادر شده یکی نیست.", "The content is not what was issued."],
  file_differs: ["فایل همان فایل صادرشده نیست.", "The file is not the file that was issued."],
  foreign_origin: ["پیوند از نشانی دیگری است.", "The link is of another site."],
  revoked: ["گواهی پس از صدور باطل شده است.", "The certificate was revoked after its issue."],
  superseded: ["گواهی تازه‌ای به جای آن صادر شده است.", "A newer certificate was issued in its place."],
  in_preparation: ["پرداخت ثبت شده و گواهی در حال آماده شدن است.", "The payment is booked; the certificate is being made."],
  status_too_old: ["آخرین وضعیت موجود قدیمی است.", "The latest status at hand is too old."],
  status_not_listed: ["وضعیت این گواهی در فهرست نیست.", "The status list does not have this certificate."],
  status_list_refused: ["فهرست وضعیت امضای درستی ندارد.", "The status list at hand does not bear a good signature."],
  signature_good_status_not_checked: ["امضای گواهی درست است.", "The certificate’s signature is good."],
  network: ["ارتباط با سامانه برقرار نشد.", "The service could not be reached."],
  insecure: ["این مرورگر یا این نشانی امکان بررسی امضا نمی‌دهد؛ صفحه را با https باز کنید.", "This browser or address cannot check signatures; open the page with https."],
  not_a_certificate: ["این متن نه پیوند گواهی است و نه شمارهٔ آن.", "This text is neither a certificate’s link nor its number."],
};

export const KINDS = {
  payment: ["گواهی پرداخت: تنها همین سال‌ها در همین شهر", "Payment certificate: these years, this city only"],
  clearance: ["مفاصاحساب: همهٔ سال‌ها تا پایان سال گفته‌شده، در همهٔ شهرها", "Clearance: every year through the one named, in every city"],
};
