"""Payments over HTTP: API Gateway events through the real handlers, over fakes."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avarez.http import owner_token
from avarez.http.principal import OwnerReach
from functions.pay import handler as pay_function
from functions.pay.returns import callback as callback_function
from functions.pay.returns.page import plain_page
from functions.pay.rules.fees import Fee
from functions.pay.rules.states import Status
from tests.unit.payments.payments_fake import Crash, World, quote, world
from tests.unit.payments.payments_steps import AMOUNT, callback, now_of, open_one

ISSUER, CLIENT = "https://issuer.example/pool", "client-1"
PERSIAN = re.compile("[آ-ی]")
Answer = tuple[int, dict[str, str], Any]


@pytest.fixture
def w(monkeypatch: pytest.MonkeyPatch) -> World:
    made = world()
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("USER_POOL_CLIENT_ID", CLIENT)
    for module in (pay_function, callback_function):
        monkeypatch.setattr(module, "desk", lambda: made.desk)
    return made


def event(
    route: str, params: dict[str, str], headers: dict[str, str], *, body: str = "", base64_encoded: bool = False
) -> dict[str, Any]:
    method, _, path = route.partition(" ")
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path.format(**params),
        "headers": headers,
        "pathParameters": params,
        "body": body,
        "isBase64Encoded": base64_encoded,
        "requestContext": {"requestId": "r1", "http": {"method": method, "sourceIp": "127.0.0.1"}},
    }


def as_clerk(
    route: str,
    *,
    params: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    body: Any = None,
    claims: Any = None,
    **headers: Any,
) -> Answer:
    """The answer to a signed-in caller: an office's clerk, unless `claims` say otherwise."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    made = event(route, params or {}, named, body=body if isinstance(body, str) else json.dumps(body))
    made["queryStringParameters"] = query or {}
    signed_in = {
        "token_use": "access",
        "iss": ISSUER,
        "client_id": CLIENT,
        "username": "clerk",
        "cognito:groups": "[office]",
        "office": "of1",
        "serves": "*",
        **(claims or {}),
    }
    scopes = ["avarez/payments.read", "avarez/payments.write"]
    made["requestContext"]["authorizer"] = {"jwt": {"claims": signed_in, "scopes": scopes}}
    answer = pay_function.handle(made, None)
    return answer["statusCode"], answer["headers"], json.loads(answer["body"])


def post(w: World, key: str | None = "k1", claims: Any = None, **changes: Any) -> Answer:
    made = quote(w.clock)
    w.store.quotes[made.assessment_id] = made
    body = {"assessment_id": made.assessment_id, "channel": "gateway", **changes}
    body = {name: value for name, value in body.items() if value is not None}
    headers: dict[str, Any] = {} if key is None else {"idempotency_key": key}
    return as_clerk("POST /v1/payments", body=body, claims=claims, **headers)


def came_back(
    fields: dict[str, str], *, method: str = "GET", gateway: str = "sandbox", body: str = "", encoded: bool = False
) -> tuple[int, dict[str, str], str]:
    made = event(
        f"{method} /v1/callbacks/{{gateway}}", {"gateway": gateway}, {}, body=body, base64_encoded=encoded
    )
    answer = callback_function.handle({**made, "queryStringParameters": fields}, None)
    return answer["statusCode"], answer["headers"], answer["body"]


def fields_of(w: World, payment_id: str, state: str = "paid") -> dict[str, str]:
    payment = w.store.payments[payment_id]
    reference = w.gateway.pay(payment.token) if state == "paid" else ""
    return {
        "order_id": payment_id,
        "token": payment.token,
        "state": state,
        "reference": reference,
        "amount": str(payment.amount_rial),
    }


# --- an owner without an account ------------------------------------------------------------------------

OWNER = OwnerReach("ab12", "ve_1", (("TEHRAN", "12B345-67"),))


def as_owner(
    monkeypatch: pytest.MonkeyPatch,
    w: World,
    route: str,
    *,
    reach: OwnerReach = OWNER,
    body: Any = "",
    **given: str,
) -> Answer:
    """The answer to the owner of the car of `quote`, or of another one."""
    monkeypatch.setattr(owner_token, "secret", lambda: b"k" * 64)
    monkeypatch.setattr(owner_token, "clock", w.clock)
    token = owner_token.sign(reach, key=b"k" * 64, expires_at=w.clock.now() + owner_token.LIFETIME)
    headers = {"authorization": f"Bearer {token}", "idempotency-key": given.pop("key", "")}
    text = body if isinstance(body, str) else json.dumps(body)
    answer = pay_function.handle(event(route, given, headers, body=text), None)
    return answer["statusCode"], answer["headers"], json.loads(answer["body"])


def test_owner_pays_at_a_gateway_and_follows_his_payment(monkeypatch: pytest.MonkeyPatch, w: World) -> None:
    w.store.fees["TEHRAN"] = Fee(5_000, office_ppm=800_000)
    made = quote(w.clock)
    w.store.quotes[made.assessment_id] = made
    body = {"assessment_id": made.assessment_id, "return_url": "https://avarez.example/my/"}
    status, headers, answer = as_owner(monkeypatch, w, "POST /v1/owner/payments", body=body, key="k1")
    assert (status, headers["location"]) == (201, f"/v1/owner/payments/{answer['payment_id']}")
    payment = w.store.payments[answer["payment_id"]]
    assert (payment.channel, payment.created_by, payment.office) == ("gateway", "owner:ab12", "")
    assert payment.office_fee_rial == 0  # nobody served him
    again = as_owner(monkeypatch, w, "POST /v1/owner/payments", body=body, key="k1")
    assert (again[1]["idempotency-replayed"], again[2]) == ("true", answer)
    w.gateway.pay(payment.token)
    callback(w, payment)
    told = as_owner(monkeypatch, w, "GET /v1/owner/payments/{id}", id=payment.payment_id)[2]
    assert (told["status"], told["amount_rial"]) == ("settled", answer["amount_rial"])


def test_owner_may_cancel_what_he_opened(monkeypatch: pytest.MonkeyPatch, w: World) -> None:
    made = quote(w.clock)
    w.store.quotes[made.assessment_id] = made
    body = {"assessment_id": made.assessment_id}
    opened = as_owner(monkeypatch, w, "POST /v1/owner/payments", body=body, key="k1")[2]
    route = "POST /v1/owner/payments/{id}/cancellations"
    assert as_owner(monkeypatch, w, route, id=opened["payment_id"])[2]["status"] == "cancelled"


@pytest.mark.parametrize(
    "reach",
    [
        OwnerReach("ab12", "ve_2", (("TEHRAN", "12B345-67"),)),  # another car on the same plate
        OwnerReach("ab12", "ve_1", (("SHIRAZ", "12B345-67"),)),  # the car in another city
        OwnerReach("cd34", "ve_1", (("TEHRAN", "12B345-67"),)),  # the next owner of the car and the plate
    ],
)
def test_payment_and_quote_of_another_do_not_exist_for_an_owner(
    monkeypatch: pytest.MonkeyPatch, w: World, reach: OwnerReach
) -> None:
    made = quote(w.clock)
    w.store.quotes[made.assessment_id] = made
    body = {"assessment_id": made.assessment_id}
    opened = as_owner(monkeypatch, w, "POST /v1/owner/payments", body=body, key="k1")[2]
    for route in ("GET /v1/owner/payments/{id}", "POST /v1/owner/payments/{id}/cancellations"):
        status, _, answer = as_owner(monkeypatch, w, route, reach=reach, id=opened["payment_id"])
        assert (status, answer["code"]) == (404, "payment_not_found")
    status, _, answer = as_owner(monkeypatch, w, "POST /v1/owner/payments", reach=reach, body=body, key="k2")
    if reach.subject == OWNER.subject:
        assert (status, answer["code"]) == (404, "assessment_not_found")
    else:
        assert (status, answer["code"]) == (409, "duty_locked")
        assert "payment_id" not in answer


def test_payment_of_an_office_is_none_of_the_owners_and_an_office_sees_his(
    monkeypatch: pytest.MonkeyPatch, w: World
) -> None:
    _, _, opened = post(w)
    route = "GET /v1/owner/payments/{id}"
    assert as_owner(monkeypatch, w, route, id=opened["payment_id"])[2]["code"] == "payment_not_found"
    w.clock.advance(timedelta(hours=1))
    body = {"assessment_id": quote(w.clock).assessment_id}
    his = as_owner(monkeypatch, w, "POST /v1/owner/payments", body=body, key="k1")[2]
    seen = as_clerk("GET /v1/payments/{id}", params={"id": his["payment_id"]})
    assert (seen[0], seen[2]["payment_id"]) == (200, his["payment_id"])
    cancelling = as_clerk("POST /v1/payments/{id}/cancellations", params={"id": his["payment_id"]})
    assert cancelling[2]["code"] == "forbidden"


@pytest.mark.parametrize("more", [{"channel": "bill"}, {"channel": "pos"}, {"assessment_ids": ["as_1"]}])
def test_owner_has_no_other_channel(monkeypatch: pytest.MonkeyPatch, w: World, more: dict[str, Any]) -> None:
    body = {"assessment_id": quote(w.clock).assessment_id, **more}
    answer = as_owner(monkeypatch, w, "POST /v1/owner/payments", body=body, key="k1")
    assert (answer[0], answer[2]["errors"][0]["code"]) == (422, "extra_forbidden")
    assert as_owner(monkeypatch, w, "POST /v1/owner/payments", body=body)[2]["code"] == "idempotency_key_required"


# --- opening --------------------------------------------------------------------------------------------


def test_payment_is_opened_with_amount_fee_expiry_and_page(w: World) -> None:
    w.store.fees["TEHRAN"] = Fee(5_000)
    status, headers, answer = post(w)
    assert status == 201
    assert headers["location"] == f"/v1/payments/{answer['payment_id']}"
    assert "idempotency-replayed" not in headers
    assert headers["cache-control"] == "no-store"
    assert (answer["status"], answer["amount_rial"], answer["fee_rial"]) == ("pending", "1240000", "5000")
    assert answer["redirect_url"].startswith("http")
    assert answer["expires_at"] == "2026-11-23T08:47:00.000Z"


def test_missing_idempotency_key_is_refused_in_the_callers_language(w: World) -> None:
    status, headers, english = post(w, key=None)
    assert (status, english["code"]) == (400, "idempotency_key_required")
    assert headers["content-type"].startswith("application/problem+json")
    assert not PERSIAN.search(english["title"])
    _, _, persian = as_clerk("POST /v1/payments", body={}, accept_language="fa-IR,fa;q=0.9")
    assert PERSIAN.search(persian["title"])
    assert w.store.payments == {}


def test_same_key_and_body_replays_the_answer_and_says_so(w: World) -> None:
    _, _, first = post(w)
    w.gateway.pay(w.store.payments[first["payment_id"]].token)
    callback(w, w.store.payments[first["payment_id"]])
    status, headers, again = post(w)
    assert (status, headers["idempotency-replayed"], again) == (201, "true", first)
    assert len(w.store.payments) == 1


def test_same_wish_in_another_writing_is_the_same_body(w: World) -> None:
    _, _, first = post(w)
    listed = post(w, assessment_id=None, assessment_ids=[quote(w.clock).assessment_id])
    assert (listed[0], listed[2]) == (201, first)


def test_same_key_with_another_body_is_a_mismatch(w: World) -> None:
    post(w)
    status, _, answer = post(w, return_url="https://avarez.example/office/")
    assert (status, answer["code"]) == (409, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"channel": "bill"}, "channel_unavailable"),
        ({"channel": "pos", "terminal": "T-9"}, "terminal_not_found"),
        ({"gateway": "nowhere"}, "channel_unavailable"),
        ({"channel": "cash"}, "invalid_input"),
        ({"amount_rial": "1"}, "invalid_input"),
        ({"assessment_id": None}, "invalid_input"),
        ({"assessment_ids": ["as_1"]}, "invalid_input"),
        ({"return_url": "https://evil.example/"}, "return_url_refused"),
        ({"assessment_id": "as_" + "0" * 36}, "assessment_not_found"),
    ],
)
def test_wish_that_cannot_be_met_is_refused_by_code_and_takes_no_duty(
    w: World, changes: dict[str, Any], code: str
) -> None:
    status, _, answer = post(w, **changes)
    assert (status, answer["code"]) == (404 if code.endswith("_not_found") else 422, code)
    assert w.store.duties == {}


@pytest.mark.parametrize("body", ["", "{", "[]", '{"channel": NaN}', '{"a": 1, "a": 1}', "[" * 100_000])
def test_body_that_is_no_payment_is_refused_and_never_a_failure(w: World, body: str) -> None:
    status, _, _ = as_clerk("POST /v1/payments", body=body, idempotency_key="k")
    assert status in (400, 422)


def test_refused_method_of_the_key_names_the_header(w: World) -> None:
    status, _, answer = post(w, key="k" * 256)
    assert (status, answer["errors"][0]["pointer"]) == (422, "/headers/idempotency-key")


def test_locked_duty_says_until_when(w: World) -> None:
    _, _, first = post(w)
    status, _, answer = post(w, key="k2")
    assert (status, answer["code"]) == (409, "duty_locked")
    assert answer["locked_until_at"] == first["expires_at"]
    assert answer["payment_id"] == first["payment_id"]


def test_silent_gateway_is_unavailable_and_the_same_key_goes_on(w: World) -> None:
    w.gateway.silent = 1
    status, headers, answer = post(w)
    assert (status, headers["retry-after"], answer["code"]) == (503, "5", "gateway_unavailable")
    assert post(w)[0] == 201
    assert len(w.store.payments) == 1


def test_process_that_dies_before_the_page_is_resumed_by_the_same_key(w: World) -> None:
    w.store.crash_after_writes = 0
    with pytest.raises(Crash):
        post(w)
    status, headers, answer = post(w)
    assert (status, headers["idempotency-replayed"], answer["status"]) == (201, "true", "pending")
    assert len(w.store.payments) == 1


# --- reading and cancelling -----------------------------------------------------------------------------


def test_payment_reads_back_and_its_page_goes_once_it_is_over(w: World) -> None:
    payment_id = post(w)[2]["payment_id"]
    status, _, open_answer = as_clerk("GET /v1/payments/{id}", params={"id": payment_id})
    assert status == 200
    assert open_answer["plate"]["key"] == "12B345-67"
    assert open_answer["amount_rial"] == AMOUNT
    assert "redirect_url" in open_answer
    came_back(fields_of(w, payment_id))
    _, _, settled = as_clerk("GET /v1/payments/{id}", params={"id": payment_id})
    assert settled["status"] == "settled"
    assert settled["certificate_id"].startswith("ce_")
    assert "redirect_url" not in settled
    assert "token" not in json.dumps(settled)


@pytest.mark.parametrize(
    "claims",
    [
        {"cognito:groups": "[municipality]", "municipality": "SHIRAZ"},
        {"cognito:groups": "[office]", "serves": "SHIRAZ"},
    ],
)
@pytest.mark.parametrize(
    "route",
    ["GET /v1/payments/{id}", "GET /v1/payments/{id}/events", "POST /v1/payments/{id}/cancellations"],
)
def test_payment_of_a_foreign_city_answers_as_if_there_were_none(
    w: World, route: str, claims: dict[str, str]
) -> None:
    payment_id = post(w)[2]["payment_id"]
    foreign = as_clerk(route, params={"id": payment_id}, claims=claims)
    unknown = as_clerk(route, params={"id": "py_" + "0" * 36}, claims=claims)
    assert foreign == unknown
    assert (foreign[0], foreign[2]["code"]) == (404, "payment_not_found")


def test_quote_of_a_foreign_city_answers_as_if_there_were_none(w: World) -> None:
    status, _, answer = post(w, claims={"serves": "SHIRAZ"})
    assert (status, answer["code"]) == (404, "assessment_not_found")


def test_day_of_the_office_is_its_own_alone(w: World) -> None:
    made = post(w)[2]
    answer = as_clerk("GET /v1/payments")
    assert answer[0] == 200
    assert [payment["payment_id"] for payment in answer[2]["payments"]] == [made["payment_id"]]
    assert answer[2]["cursor"] is None
    assert as_clerk("GET /v1/payments", claims={"office": "of2"})[2]["payments"] == []
    assert as_clerk("GET /v1/payments", query={"day_jalali": "1405-01-01"})[2]["payments"] == []
    for refused in ({"cursor": "x"}, {"cursor": "as_" + "0" * 36}, {"day_jalali": "1405-13-01"}):
        assert as_clerk("GET /v1/payments", query=refused)[0] == 422
    claims = {"cognito:groups": "[auditor]", "office": ""}
    assert as_clerk("GET /v1/payments", claims=claims)[2]["code"] == "forbidden"


def test_events_tell_the_whole_way_and_no_secret(w: World) -> None:
    payment_id = post(w)[2]["payment_id"]
    came_back(fields_of(w, payment_id))
    status, _, answer = as_clerk("GET /v1/payments/{id}/events", params={"id": payment_id})
    assert status == 200
    assert [(e["occurrence"], e["status_before"], e["status_after"]) for e in answer["events"]] == [
        ("created", None, "created"),
        ("token_given", "created", "pending"),
        ("paid_at_gateway", "pending", "verifying"),
        ("verified", "verifying", "settled"),
    ]
    assert w.store.payments[payment_id].token not in json.dumps(answer)


def test_cancellation_answers_with_the_payment_and_a_second_one_the_same(w: World) -> None:
    params = {"id": post(w)[2]["payment_id"]}
    status, _, answer = as_clerk("POST /v1/payments/{id}/cancellations", params=params)
    assert (status, answer["status"]) == (200, "cancelled")
    assert as_clerk("POST /v1/payments/{id}/cancellations", params=params)[2] == answer
    assert w.store.duties == {}


def test_cancellation_of_paid_money_and_by_another_office_are_refused(w: World) -> None:
    payment_id = post(w)[2]["payment_id"]
    route, params = "POST /v1/payments/{id}/cancellations", {"id": payment_id}
    other = as_clerk(route, params=params, claims={"username": "other", "office": "of2"})
    assert (other[0], other[2]["code"]) == (403, "forbidden")
    w.gateway.pay(w.store.payments[payment_id].token)
    status, _, answer = as_clerk(route, params=params)
    assert (status, answer["code"], answer["status"]) == (409, "payment_not_cancellable", 409)
    assert w.store.payments[payment_id].status is Status.SETTLED


def test_cancellation_with_a_silent_gateway_is_an_unknown_outcome(w: World) -> None:
    params = {"id": post(w)[2]["payment_id"]}
    w.gateway.silent = 1
    status, _, answer = as_clerk("POST /v1/payments/{id}/cancellations", params=params)
    assert (status, answer["code"]) == (503, "outcome_unknown")


# --- coming back ----------------------------------------------------------------------------------------


def test_payer_goes_on_to_the_return_url_with_payment_and_status(w: World) -> None:
    payment_id = post(w, return_url="https://avarez.example/office/?a=b&status=forged#pay")[2]["payment_id"]
    status, headers, body = came_back(fields_of(w, payment_id))
    location = urlsplit(headers["location"])
    assert (status, body) == (303, "")
    assert (location.netloc, location.path, location.fragment) == ("avarez.example", "/office/", "pay")
    assert parse_qs(location.query) == {"a": ["b"], "payment_id": [payment_id], "status": ["settled"]}
    assert headers["referrer-policy"] == "no-referrer"


def test_payer_whose_gateway_is_silent_goes_on_with_the_outcome_open(w: World) -> None:
    payment_id = post(w, return_url="https://avarez.example/office/")[2]["payment_id"]
    fields = fields_of(w, payment_id)
    w.gateway.silent = 1
    status, headers, _ = came_back(fields)
    assert status == 303
    assert parse_qs(urlsplit(headers["location"]).query)["status"] == ["pending"]
    assert w.queue.messages == [{"payment_id": payment_id}]


def test_payer_without_a_return_url_sees_a_plain_page_in_both_languages(w: World) -> None:
    payment_id = post(w)[2]["payment_id"]
    status, headers, page = came_back(fields_of(w, payment_id))
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "عوارض پرداخت شد" in page
    assert "The duty is paid" in page
    assert payment_id in page


@pytest.mark.parametrize("status", Status)
def test_every_state_has_its_page_in_both_languages(w: World, status: Status) -> None:
    payment = open_one(w)
    object.__setattr__(payment, "status", status)
    page = plain_page(payment)
    assert PERSIAN.search(page)
    assert re.search(r'<p lang="en" dir="ltr">[A-Z][^<]{10,}</p>', page)


def test_form_of_a_gateway_that_posts_is_read_plain_and_encoded(w: World) -> None:
    for key, encoded in (("k1", False), ("k2", True)):
        payment = open_one(w, key=key, number=2 if encoded else 1, vehicle_id=f"ve_{key}")
        form = urlencode(fields_of(w, payment.payment_id))
        body = base64.b64encode(form.encode()).decode() if encoded else form
        assert came_back({"state": "cancelled"}, method="POST", body=body, encoded=encoded)[0] == 200
        assert now_of(w, payment).status is Status.SETTLED


def test_hundred_copies_get_one_and_the_same_answer(w: World) -> None:
    payment_id = post(w)[2]["payment_id"]
    fields = fields_of(w, payment_id)
    answers = {came_back(fields)[2] for _ in range(100)}
    assert len(answers) == 1
    assert len(w.store.journal) == 1


def test_busy_store_still_gives_the_payer_a_page(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from avarez.errors import ServiceBusy

    payment_id = post(w)[2]["payment_id"]
    fields = fields_of(w, payment_id)

    def busy(payment_id: str) -> None:
        raise ServiceBusy()

    monkeypatch.setattr(w.store, "payment", busy)
    status, _, page = came_back(fields)
    assert status == 200
    assert "Do not pay again" in page


@pytest.mark.parametrize("gateway", ["sandbox", "nowhere", "../x", "%00", ""])
def test_garbage_about_any_gateway_is_a_plain_page(w: World, gateway: str) -> None:
    status, _, page = came_back({"order_id": "<script>"}, gateway=gateway)
    assert status == 200
    assert "<script>" not in page
    assert "No payment is known" in page


@pytest.mark.parametrize("body", ["%%%", "a" * 100_000, "&" * 1_000, "\ud800", "order_id=%FF"])
@pytest.mark.parametrize("encoded", [True, False])
def test_form_that_is_none_is_a_plain_page(w: World, body: str, encoded: bool) -> None:
    assert came_back({}, method="POST", body=body, encoded=encoded)[0] == 200


FIELD = st.one_of(st.text(max_size=60), st.sampled_from(["paid", "cancelled", AMOUNT, "1e400", "-1", "\x00"]))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=st.dictionaries(
        st.one_of(st.sampled_from(["order_id", "token", "state", "reference", "amount"]), st.text(max_size=9)),
        FIELD,
    ),
    genuine=st.sets(st.sampled_from(["order_id", "token", "state", "amount"])),
)
def test_whatever_comes_back_is_answered_and_never_makes_a_certificate(
    w: World, fields: dict[str, str], genuine: set[str]
) -> None:
    payment = open_one(w, number=1)
    true = {
        "order_id": payment.payment_id,
        "token": payment.token,
        "state": "paid",
        "amount": str(payment.amount_rial),
    }
    status, _, _ = came_back({**fields, **{name: true[name] for name in genuine}})
    assert status in (200, 303)
    assert w.store.certificates == {}
    assert w.store.journal == []
