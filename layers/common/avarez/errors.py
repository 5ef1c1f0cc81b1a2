"""Every refusal this system gives, as one tree.

Each class carries the public `code`, the HTTP status and both languages' title. `docs/errors.md` lists them;
a test keeps the two in step. A verdict on a certificate is a value, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of the input: where (an RFC 6901 pointer), which, and what to do about it."""

    pointer: str
    code: str
    message_en: str
    message_fa: str


class AvarezError(Exception):
    """A refusal with a public code; the text for people is in both languages.

    `extra` becomes top-level members of the problem document (RFC 9457, section 3.2).
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    title_en: ClassVar[str] = "Something went wrong on our side. Nothing you sent is lost; please try again."
    title_fa: ClassVar[str] = "خطایی در سامانه رخ داد. چیزی از دست نرفته است؛ لطفاً دوباره تلاش کنید."

    def __init__(
        self,
        detail_en: str = "",
        detail_fa: str = "",
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail_en or self.title_en)
        self.detail_en = detail_en or self.title_en
        self.detail_fa = detail_fa or self.title_fa
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.retry_after_s = retry_after_s


# --- the request itself ---------------------------------------------------------------------------------


class BodyTooLarge(AvarezError):
    code, status = "body_too_large", 413
    title_en, title_fa = "The body of the request is too large.", "حجم درخواست بیش از اندازه است."


class DuplicateKeys(AvarezError):
    code, status = "duplicate_keys", 400
    title_en = "The JSON names the same key twice; send each key once."
    title_fa = "در JSON یک کلید دو بار آمده است؛ هر کلید را یک بار بفرستید."


class IdempotencyKeyRequired(AvarezError):
    code, status = "idempotency_key_required", 400
    title_en = "Send an Idempotency-Key header, so that a repeated request cannot act twice."
    title_fa = "سرآیند Idempotency-Key را بفرستید تا درخواست تکراری دو بار اجرا نشود."


class IdempotencyMismatch(AvarezError):
    code, status = "idempotency_mismatch", 409
    title_en = "This Idempotency-Key was used with another request; use a new key."
    title_fa = "این Idempotency-Key برای درخواست دیگری به کار رفته است؛ کلید تازه‌ای بفرستید."


class InvalidInput(AvarezError):
    code, status = "invalid_input", 422
    title_en, title_fa = (
        "Some fields are not valid; each is named.",
        "برخی فیلدها معتبر نیستند؛ هر یک نام برده شده است.",
    )


class InvalidJson(AvarezError):
    code, status = "invalid_json", 400
    title_en, title_fa = "The body is not valid JSON in UTF-8.", "بدنهٔ درخواست JSON معتبر با UTF-8 نیست."


class MethodNotAllowed(AvarezError):
    code, status = "method_not_allowed", 405
    title_en, title_fa = "This address does not take that method.", "این نشانی چنین روشی را نمی‌پذیرد."


class RouteUnknown(AvarezError):
    code, status = "route_unknown", 404
    title_en, title_fa = "There is nothing at this address.", "چیزی در این نشانی نیست."


# --- who may ask ----------------------------------------------------------------------------------------


class CredentialsRefused(AvarezError):
    code, status = "credentials_refused", 401
    title_en = "The user name or the password is not right."
    title_fa = "نام کاربری یا گذرواژه درست نیست."


class Forbidden(AvarezError):
    code, status = "forbidden", 403
    title_en, title_fa = "Your account may not do this.", "حساب شما اجازهٔ این کار را ندارد."


class SignatureRefused(AvarezError):
    code, status = "signature_refused", 401
    title_en = "The message is not signed as it must be."
    title_fa = "پیام امضای لازم را ندارد."


class OwnerNotMatched(AvarezError):
    """The one answer to a plate that no roll has, and to an id that is not its owner's."""

    code, status = "owner_not_matched", 404
    title_en = "No car with this plate and this national id stands in the rolls."
    title_fa = "خودرویی با این پلاک و این کد ملی در فهرست شهرها نیست."


class OwnerUnknown(AvarezError):
    code, status = "owner_unknown", 409
    title_en = "No roll names the owner of this car, so no number can be kept for him."
    title_fa = "هیچ فهرستی مالک این خودرو را نمی‌شناسد؛ شماره‌ای برای او نگه داشته نمی‌شود."


class StopUnknown(AvarezError):
    code, status = "stop_unknown", 404
    title_en, title_fa = "This is no link of our messages.", "این پیوند از پیامک‌های ما نیست."


class TooManyAttempts(AvarezError):
    code, status, retryable = "too_many_attempts", 429, True
    title_en = "There were too many attempts; wait a while, or go to a service office."
    title_fa = "تلاش‌ها بیش از اندازه بود؛ کمی صبر کنید یا به دفتر خدمات بروید."


class Unauthorized(AvarezError):
    code, status = "unauthorized", 401
    title_en, title_fa = "Sign in first.", "نخست وارد شوید."


# --- vehicles, rolls and assessments --------------------------------------------------------------------


class AssessmentNotFound(AvarezError):
    code, status = "assessment_not_found", 404
    title_en, title_fa = "There is no such assessment.", "چنین برآوردی یافت نشد."


class MunicipalityUnknown(AvarezError):
    code, status = "municipality_unknown", 422
    title_en = "There is no municipality with this code; see /v1/municipalities."
    title_fa = "شهرداری با این کد وجود ندارد؛ فهرست در ‎/v1/municipalities است."


class PlateMalformed(AvarezError):
    code, status = "plate_malformed", 422
    title_en = "This is not a plate; write it like 12B345-67 or 12 ب 345 - ایران 67."
    title_fa = "این پلاک درست نیست؛ آن را مانند ۱۲ ب ۳۴۵ - ایران ۶۷ بنویسید."


class RollConflict(AvarezError):
    code, status = "roll_conflict", 409
    title_en, title_fa = (
        "The roll is not in a state that allows this.",
        "فهرست در وضعیتی نیست که این کار شدنی باشد.",
    )


class RollInUse(AvarezError):
    code, status = "roll_in_use", 409
    title_en = "Duties that rest on this roll are paid; it cannot be rolled back."
    title_fa = "عوارضی بر پایهٔ این فهرست پرداخت شده است؛ بازگرداندن آن شدنی نیست."


class RollNotFound(AvarezError):
    code, status = "roll_not_found", 404
    title_en, title_fa = "There is no such roll.", "چنین فهرستی یافت نشد."


class RollOutdated(AvarezError):
    code, status = "roll_outdated", 409
    title_en = "Another roll was committed after this preview; upload the file again."
    title_fa = "پس از این پیش‌نمایش فهرست دیگری ثبت شده است؛ فایل را دوباره بفرستید."


class FleetNotFound(AvarezError):
    code, status = "fleet_not_found", 404
    title_en, title_fa = "There is no such fleet.", "چنین فهرست ناوگانی یافت نشد."


class ObjectionConflict(AvarezError):
    code, status = "objection_conflict", 409
    title_en = "The objection is decided already, or was changed at this moment; read it again."
    title_fa = "به این اعتراض رسیدگی شده یا همین دم تغییر کرده است؛ دوباره بخوانید."


class ObjectionNotFound(AvarezError):
    code, status = "objection_not_found", 404
    title_en, title_fa = "There is no such objection.", "چنین اعتراضی یافت نشد."


class ObjectionOpen(AvarezError):
    code, status = "objection_open", 409
    title_en = "An objection of this vehicle is open in this city; wait for its decision or withdraw it."
    title_fa = "برای این خودرو در این شهر اعتراضی باز است؛ منتظر رأی بمانید یا آن را پس بگیرید."


class SecondPersonRequired(AvarezError):
    code, status = "second_person_required", 409
    title_en = "Whoever wrote this cannot approve it; a second person must."
    title_fa = "کسی که این را نوشته نمی‌تواند تأییدش کند؛ نفر دومی باید تأیید کند."


class TariffConflict(AvarezError):
    code, status = "tariff_conflict", 409
    title_en = "The draft is not in a state that allows this, or was changed at this moment; read it again."
    title_fa = "پیش‌نویس در وضعیتی نیست که این کار شدنی باشد، یا همین دم تغییر کرد؛ دوباره بخوانید."


class TariffNotFound(AvarezError):
    code, status = "tariff_not_found", 404
    title_en, title_fa = "There is no such tariff.", "چنین تعرفه‌ای یافت نشد."


class TariffOutdated(AvarezError):
    code, status = "tariff_outdated", 409
    title_en = "Another tariff was published after this draft was checked; check and simulate it again."
    title_fa = "پس از بررسی این پیش‌نویس تعرفهٔ دیگری منتشر شده است؛ دوباره بررسی و شبیه‌سازی کنید."


class TariffInvalid(AvarezError):
    code, status = "tariff_invalid", 422
    title_en = "The tariff has faults and cannot be used; each is named."
    title_fa = "تعرفه خطا دارد و به‌کاربردنی نیست؛ هر یک نام برده شده است."


class TariffMissing(AvarezError):
    code, status = "tariff_missing", 422
    title_en = "There is no tariff for some years of this vehicle, so no amount can be given."
    title_fa = "برای برخی سال‌های این خودرو تعرفه‌ای ثبت نشده است؛ مبلغی نمی‌توان گفت."


class VehicleChangeConflict(AvarezError):
    code, status = "vehicle_change_conflict", 409
    title_en = "The change is decided already, or the vehicle was changed at this moment; read it again."
    title_fa = "دربارهٔ این تغییر تصمیم گرفته شده یا خودرو همین دم تغییر کرده است؛ دوباره بخوانید."


class VehicleChangeNotFound(AvarezError):
    code, status = "vehicle_change_not_found", 404
    title_en, title_fa = "There is no such change of a vehicle.", "چنین تغییری برای خودرو یافت نشد."


class VehicleNotFound(AvarezError):
    code, status = "vehicle_not_found", 404
    title_en = "No vehicle with this plate is on the roll; check the plate and the city."
    title_fa = "خودرویی با این پلاک در فهرست نیست؛ پلاک و شهر را بررسی کنید."


# --- payments -------------------------------------------------------------------------------------------


class ChannelUnavailable(AvarezError):
    code, status = "channel_unavailable", 422
    title_en, title_fa = "This channel of payment is not offered here.", "این روش پرداخت در دسترس نیست."


class AmountNotBillable(AvarezError):
    code, status = "amount_not_billable", 422
    title_en = "A bill takes whole thousands of rial, at most 99,999,999,000; use another channel."
    title_fa = "قبض تنها مضرب هزار ریال و حداکثر ۹۹٬۹۹۹٬۹۹۹٬۰۰۰ ریال را می‌پذیرد؛ روش دیگری برگزینید."


class BankFileInvalid(AvarezError):
    code, status = "bank_file_invalid", 422
    title_en = "This is no file of paid bills: no line can be read in either layout."
    title_fa = "این فایل قبض‌های پرداخت‌شده نیست: هیچ سطری در هیچ‌یک از دو قالب خوانده نشد."


class BankFileNotFound(AvarezError):
    code, status = "bank_file_not_found", 404
    title_en, title_fa = "There is no such bank file.", "چنین فایل بانکی یافت نشد."


class BillOpen(AvarezError):
    code, status = "bill_open", 409
    title_en = "A bill of this vehicle is open until expires_at; pay it, or send supersede_bill: true."
    title_fa = "قبضی برای این خودرو تا expires_at باز است؛ آن را بپردازید یا supersede_bill: true بفرستید."


class DutyLocked(AvarezError):
    code, status = "duty_locked", 409
    title_en = "Somebody is paying this duty right now; wait until locked_until_at or resume that payment."
    title_fa = "هم‌اکنون کسی در حال پرداخت این عوارض است؛ تا زمان locked_until_at صبر کنید یا همان را ادامه دهید."


class DutyDisputed(AvarezError):
    code, status = "duty_disputed", 409
    title_en = (
        "A residence or an objection of this vehicle is in dispute; there is no clearance until that is decided."
    )
    title_fa = "محل سکونت یا اعتراضی دربارهٔ این خودرو در دست رسیدگی است؛ تا رأی آن مفاصاحساب صادر نمی‌شود."


class DutyOwed(AvarezError):
    code, status = "duty_owed", 409
    title_en = "The vehicle still owes more than the city lets go; pay what owed names, then ask again."
    title_fa = "خودرو هنوز بیش از حد گذشت شهر بدهی دارد؛ آنچه در owed آمده را بپردازید و دوباره درخواست کنید."


class DutyPaid(AvarezError):
    code, status = "duty_paid", 409
    title_en, title_fa = "This duty is already paid.", "این عوارض پیش‌تر پرداخت شده است."


class DutyByInstalments(DutyPaid):
    """The duty is bound to an agreement (`agreement_id`); it is paid by its parts and by nothing else."""

    code = "duty_by_instalments"
    title_en, title_fa = "This duty is being paid by instalments.", "این عوارض با اقساط پرداخت می‌شود."


class AgreementNotFound(AvarezError):
    code, status = "agreement_not_found", 404
    title_en, title_fa = "There is no such agreement.", "چنین قرارداد اقساطی وجود ندارد."


class AgreementConflict(AvarezError):
    """What was asked does not fit the state of the agreement, which `status` names."""

    code, status = "agreement_conflict", 409
    title_en = "The agreement is not in a state that allows this."
    title_fa = "وضعیت قرارداد اقساط این کار را اجازه نمی‌دهد."


class InstalmentsNotOffered(AvarezError):
    code, status = "instalments_not_offered", 409
    title_en = "The municipality does not let this duty be paid by instalments."
    title_fa = "شهرداری پرداخت این عوارض را با اقساط نمی‌پذیرد."


class GatewayUnavailable(AvarezError):
    code, status, retryable = "gateway_unavailable", 503, True
    title_en = "The payment gateway does not answer; no money was taken. Try again shortly."
    title_fa = "درگاه پرداخت پاسخ نمی‌دهد؛ پولی کم نشده است. اندکی بعد دوباره تلاش کنید."


class NothingOwed(AvarezError):
    code, status = "nothing_owed", 409
    title_en, title_fa = "Nothing is owed on this assessment.", "بر پایهٔ این برآورد بدهی‌ای وجود ندارد."


class OlderYearOwed(AvarezError):
    """Years are paid oldest first; `extra` names the older ones that would stay owed."""

    code, status = "older_year_owed", 409
    title_en = "An older year is owed; years are paid oldest first."
    title_fa = "سالی قدیمی‌تر بدهکار است؛ سال‌ها از قدیم به جدید پرداخت می‌شوند."


class OutcomeUnknown(AvarezError):
    """Asked, and no answer: never reported as a failure."""

    code, status, retryable = "outcome_unknown", 503, True
    title_en = "The outcome is not known yet; it is being cleared up. Do not pay again."
    title_fa = "نتیجه هنوز روشن نیست و در حال پیگیری است. دوباره پرداخت نکنید."


class PaymentNotCancellable(AvarezError):
    code, status = "payment_not_cancellable", 409
    title_en = "This payment can no longer be cancelled."
    title_fa = "این پرداخت دیگر لغوشدنی نیست."


class PaymentNotFound(AvarezError):
    code, status = "payment_not_found", 404
    title_en, title_fa = "There is no such payment.", "چنین پرداختی یافت نشد."


class PaymentNotRefundable(AvarezError):
    code, status = "payment_not_refundable", 409
    title_en, title_fa = "This payment holds no money to give back.", "این پرداخت مبلغی برای بازگرداندن ندارد."


class RefundConflict(AvarezError):
    code, status = "refund_conflict", 409
    title_en = "The refund is decided already, or the payment changed meanwhile; read it again."
    title_fa = "دربارهٔ این بازپرداخت تصمیم گرفته شده یا پرداخت در این میان تغییر کرده است؛ دوباره بخوانید."


class RefundNotFound(AvarezError):
    code, status = "refund_not_found", 404
    title_en, title_fa = "There is no such refund.", "چنین بازپرداختی یافت نشد."


class GatewayReportInvalid(AvarezError):
    code, status = "gateway_report_invalid", 422
    title_en = "This is no report of that gateway, or a line of it cannot be read; nothing of it was taken."
    title_fa = "این گزارش آن درگاه نیست یا خطی از آن خوانده نمی‌شود؛ هیچ بخشی از آن پذیرفته نشد."


class PosResultConflict(AvarezError):
    code, status = "pos_result_conflict", 409
    title_en = "This does not go with what is recorded of the sale; read the payment again."
    title_fa = "این با آنچه از این فروش ثبت شده نمی‌خواند؛ پرداخت را دوباره بخوانید."


class StatementConflict(AvarezError):
    code, status = "statement_conflict", 409
    title_en = "The bank's number bank_reference stands for another line already; lines before it were taken."
    title_fa = "شمارهٔ بانکی bank_reference پیش‌تر برای سطر دیگری ثبت شده است؛ سطرهای پیش از آن پذیرفته شدند."


class StatementInvalid(AvarezError):
    code, status = "statement_invalid", 422
    title_en = (
        "This is no bank statement in the documented columns, or a line of it cannot be read; each fault is named."
    )
    title_fa = "این صورت‌حساب بانکی با ستون‌های مستند نیست یا سطری از آن خوانده نمی‌شود؛ هر ایراد نام برده شده است."


class SuspenseAmountDiffers(AvarezError):
    code, status = "suspense_amount_differs", 409
    title_en = "The quote is not of the amount that stands in suspense; money is never matched in part."
    title_fa = "مبلغ برآورد با مبلغ معلق یکی نیست؛ پول هرگز به صورت جزئی تطبیق داده نمی‌شود."


class SuspenseNotMatchable(AvarezError):
    code, status = "suspense_not_matchable", 409
    title_en = "This money is not open in suspense, goes back by itself, or has no such proposal; read it again."
    title_fa = "این مبلغ در حساب معلق باز نیست، خودبه‌خود بازمی‌گردد یا چنین پیشنهادی ندارد؛ دوباره بخوانید."


class TerminalNotFound(AvarezError):
    code, status = "terminal_not_found", 404
    title_en, title_fa = "Your office has no such terminal.", "دفتر شما چنین پایانه‌ای ندارد."


class QuoteExpired(AvarezError):
    code, status = "quote_expired", 409
    title_en, title_fa = (
        "This quote has expired; assess again.",
        "اعتبار این برآورد گذشته است؛ دوباره برآورد بگیرید.",
    )


class QuoteNotPayable(AvarezError):
    code, status = "quote_not_payable", 409
    title_en = "Only a quote made as of today can be paid; assess again without as_of."
    title_fa = "تنها برآورد امروز پرداخت‌شدنی است؛ بدون as_of دوباره برآورد بگیرید."


class ReferenceReused(AvarezError):
    code, status = "reference_reused", 409
    title_en = "The gateway's reference belongs to another payment."
    title_fa = "شمارهٔ مرجع درگاه به پرداخت دیگری تعلق دارد."


class ReturnUrlRefused(AvarezError):
    code, status = "return_url_refused", 422
    title_en = "return_url is not on a registered origin."
    title_fa = "نشانی return_url در فهرست مبدأهای ثبت‌شده نیست."


# --- settlement to cities --------------------------------------------------------------------------------


class MunicipalityNotFound(AvarezError):
    code, status = "municipality_not_found", 404
    title_en = "There is no such municipality for you; see /v1/municipalities."
    title_fa = "چنین شهرداری‌ای برای شما وجود ندارد؛ فهرست در ‎/v1/municipalities است."


class ChangeNotFound(AvarezError):
    code, status = "change_not_found", 404
    title_en, title_fa = "There is no such change.", "چنین تغییری یافت نشد."


class ChangeOpen(AvarezError):
    code, status = "change_open", 409
    title_en = "A change of this is open already; wait until it is in force, or cancel it."
    title_fa = "تغییر دیگری از همین باز است؛ تا اجرای آن صبر کنید یا لغوش کنید."


class ChangeConflict(AvarezError):
    code, status = "change_conflict", 409
    title_en = "The change is decided already, is about to be in force, or changed at this moment; read it again."
    title_fa = "دربارهٔ این تغییر تصمیم گرفته شده، در آستانهٔ اجراست یا همین دم تغییر کرد؛ دوباره بخوانید."


class ActivationRefused(AvarezError):
    code, status = "activation_refused", 401
    title_en = "Code, name or invitation is not right, was used, or waits for its second person."
    title_fa = "کد، نام یا دعوت‌نامه درست نیست، به کار رفته است یا هنوز تأیید نفر دوم را ندارد."


class EmblemRefused(AvarezError):
    code, status = "emblem_refused", 422
    title_en = "An emblem is an SVG of shapes, up to 20,000 characters, without text, links, styles or scripts."
    title_fa = "نشان باید SVG تنها از شکل‌ها باشد، حداکثر ۲۰٬۰۰۰ نویسه، بدون متن، پیوند، سبک یا اسکریپت."


class OfficerConflict(AvarezError):
    code, status = "officer_conflict", 409
    title_en = "The city keeps at least one head officer; invite another one first."
    title_fa = "شهرداری دست‌کم یک مسئول می‌خواهد؛ نخست مسئول دیگری دعوت کنید."


class OfficerExists(AvarezError):
    code, status = "officer_exists", 409
    title_en, title_fa = "Somebody signs in under this name already.", "این نام کاربری هم‌اکنون به کار می‌رود."


class OfficerNotFound(AvarezError):
    code, status = "officer_not_found", 404
    title_en, title_fa = "The city has no such officer.", "شهرداری چنین مأموری ندارد."


class ChallengeOpen(AvarezError):
    code, status = "challenge_open", 409
    title_en = "The new address has not answered its challenge; send it again (POST …/webhook/challenges)."
    title_fa = "نشانی تازه هنوز به پیام آزمون پاسخ نداده است؛ آزمون را دوباره بفرستید (‎POST …/webhook/challenges)."


class ChainBroken(AvarezError):
    code, status = "chain_broken", 503
    title_en = "The city's chain of events has a fault; nothing is closed over it until it is put right."
    title_fa = "زنجیرهٔ رویدادهای این شهر خطایی دارد؛ تا رفع آن روزی بسته نمی‌شود."


class SettlementNotFound(AvarezError):
    code, status = "settlement_not_found", 404
    title_en, title_fa = "There is no such daily close.", "چنین بستن روزی وجود ندارد."


class SettlementNotDue(AvarezError):
    code, status = "settlement_not_due", 409
    title_en = "This day cannot be closed yet, or the city has no events by then."
    title_fa = "این روز هنوز بسته‌شدنی نیست یا شهر تا آن روز رویدادی ندارد."


class TransferBatchNotFound(AvarezError):
    code, status = "transfer_batch_not_found", 404
    title_en, title_fa = "There is no such file of transfers.", "چنین فایل واریزی وجود ندارد."


class PlatformAccountMissing(AvarezError):
    code, status = "platform_account_missing", 409
    title_en = "Our own account (name, IBAN, BIC) is not set; an operator has to enter it first."
    title_fa = "حساب سامانه (نام، شبا و شناسهٔ بانک) تعیین نشده است؛ نخست باید ثبت شود."


class NothingToTransfer(AvarezError):
    code, status = "nothing_to_transfer", 409
    title_en = "No transfer is ready to be sent: each is sent, or waits for a city's account."
    title_fa = "واریزی برای ارسال آماده نیست: همه ارسال شده‌اند یا در انتظار حساب شهرداری‌اند."


class WebhookNotFound(AvarezError):
    code, status = "webhook_not_found", 404
    title_en = "The municipality has registered no endpoint; PUT its address first."
    title_fa = "این شهرداری نشانی‌ای ثبت نکرده است؛ نخست آن را با PUT ثبت کنید."


class WebhookUrlRefused(AvarezError):
    code, status = "webhook_url_refused", 422
    title_en = (
        "The address must be https:// with a public name in ASCII (xn--… for others), on port 443 or 8443, "
        "without user, fragment or number for a name."
    )
    title_fa = (
        "نشانی باید ‎https://‎ با نام دامنهٔ عمومی به حروف لاتین (یا ‎xn--…‎) روی درگاه ۴۴۳ یا ۸۴۴۳ باشد؛ "
        "بدون نام کاربری، بخش # یا عدد به جای نام."
    )


# --- certificates ---------------------------------------------------------------------------------------


class CertificateInPreparation(AvarezError):
    code, status, retryable = "certificate_in_preparation", 409, True
    title_en = "The duty is paid and the certificate is being prepared; ask again in a moment."
    title_fa = "عوارض پرداخت شده و گواهی در حال آماده‌سازی است؛ لحظه‌ای دیگر دوباره بپرسید."


class PaperNotReady(AvarezError):
    code, status = "paper_not_ready", 409
    title_en = "There is a slip while a bill can be paid, and a receipt once a payment is settled; see its status."
    title_fa = "قبض تا زمانی هست که بتوان آن را پرداخت، و رسید پس از ثبت پرداخت؛ وضعیت پرداخت را ببینید."


class CertificateNotFound(AvarezError):
    code, status = "certificate_not_found", 404
    title_en, title_fa = "There is no such certificate.", "چنین گواهی‌ای یافت نشد."


class CertificateNotInForce(AvarezError):
    code, status = "certificate_not_in_force", 409
    title_en = "The certificate was revoked or replaced; another paper of it cannot be had."
    title_fa = "این گواهی باطل یا جایگزین شده است و المثنای آن صادر نمی‌شود."


class SigningKeyNotFound(AvarezError):
    code, status = "signing_key_not_found", 404
    title_en, title_fa = "There is no such signing key.", "چنین کلید امضایی یافت نشد."


class StandbyKeyMissing(AvarezError):
    code, status = "standby_key_missing", 409
    title_en = "No key waits to take over; deploy one first."
    title_fa = "کلید آماده‌ای برای جانشینی نیست؛ نخست یکی مستقر کنید."


class CheckpointRefused(AvarezError):
    code, status = "checkpoint_refused", 422
    title_en = "This is no checkpoint of our log that your registered witness key cosigned."
    title_fa = "این نقطهٔ وارسیِ فهرست ما با هم‌امضای کلید ثبت‌شدهٔ شما نیست."


class LogForked(AvarezError):
    code, status = "log_forked", 409
    title_en = "Our key signed this checkpoint and it is not our log's: keep it, and tell everybody."
    title_fa = "این نقطهٔ وارسی امضای ما را دارد ولی از فهرست ما نیست: آن را نگه دارید و خبر دهید."


class WitnessKeyRefused(AvarezError):
    code, status = "witness_key_refused", 422
    title_en = "This is no strong Ed25519 cosigning key of a witness of its own."
    title_fa = "این کلید، کلید هم‌امضای Ed25519 قوی و ویژهٔ یک گواه نیست."


class LogEntryNotFound(AvarezError):
    code, status = "log_entry_not_found", 404
    title_en = "The transparency log does not hold this hash; a new certificate is in it within ten seconds."
    title_fa = "این چکیده در فهرست شفافیت نیست؛ گواهی تازه تا ده ثانیه در آن ثبت می‌شود."


class LogTileNotFound(AvarezError):
    code, status = "log_tile_not_found", 404
    title_en, title_fa = "The transparency log has no such tile.", "فهرست شفافیت چنین کاشی‌ای ندارد."


class FiguresNotFound(AvarezError):
    code, status = "figures_not_found", 404
    title_en = "There is no such publication, file or definition of the public figures."
    title_fa = "چنین انتشار، پرونده یا تعریفی در آمار عمومی نیست."


class ReceivablesNotFound(AvarezError):
    code, status = "receivables_not_found", 404
    title_en = "No receivables of this city have been computed yet; they are after its first roll, each night."
    title_fa = "مطالبات این شهر هنوز حساب نشده است؛ پس از نخستین فهرست خودروها، هر شب حساب می‌شود."


class BudgetOutdated(AvarezError):
    code, status = "budget_outdated", 409
    title_en = "Somebody published another version of this year meanwhile; read it and enter yours again."
    title_fa = "در این میان نسخهٔ دیگری از این سال منتشر شده است؛ آن را ببینید و دوباره وارد کنید."


class ExchangeBatchNotFound(AvarezError):
    code, status = "exchange_batch_not_found", 404
    title_en = "There is no such batch of the national exchange."
    title_fa = "چنین دسته‌ای برای تبادل ملی نیست."


# --- our own house --------------------------------------------------------------------------------------


class ServiceBusy(AvarezError):
    code, status, retryable = "service_busy", 503, True
    title_en, title_fa = (
        "The service is busy; try again in a moment.",
        "سامانه شلوغ است؛ لحظه‌ای دیگر تلاش کنید.",
    )


class TransactionRefused(AvarezError):
    """A conditional transaction was refused by the store; `reasons` has one entry per item, None where fine."""

    code, status = "conflict", 409
    title_en, title_fa = (
        "Somebody changed this at the same moment; try again.",
        "هم‌زمان کسی این را تغییر داد؛ دوباره تلاش کنید.",
    )

    def __init__(self, reasons: Sequence[str | None]) -> None:
        super().__init__()
        self.reasons = tuple(reasons)
