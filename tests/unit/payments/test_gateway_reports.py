"""Reports of days, read: the whole or nothing, in rial, with the line that was wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from avarez.errors import GatewayReportInvalid
from functions.pay.gateways import report
from functions.pay.gateways.day_reports import ReportLine
from functions.pay.gateways.registry import ADAPTERS, adapter
from functions.pay.gateways.report import GENERAL, Layout, read_report

HEAD = "reference,order_id,amount_rial,state,paid_at\n"


def faults(text: str, layout: Layout = GENERAL) -> list[tuple[str, str]]:
    with pytest.raises(GatewayReportInvalid) as refusal:
        read_report(text, layout, 1)
    return [(fault.pointer, fault.code) for fault in refusal.value.errors]


def test_lines_are_read_in_rial_with_persian_digits_and_a_byte_order_mark() -> None:
    text = "\ufeff" + HEAD + 'r1,py_1,"۱٬۲۳۵٬۰۰۰",confirmed,2026-11-23T08:30:00.000Z\n'.replace("٬", ",")
    (line,) = read_report(text, GENERAL, 10)
    assert line == ReportLine("r1", "py_1", 12_350_000, "confirmed", datetime(2026, 11, 23, 8, 30, tzinfo=UTC))
    assert line.key == "r1#py_1"


@pytest.mark.parametrize(
    "line",
    [
        ",py_1,10,confirmed,",
        "r 1,py_1,10,confirmed,",
        "r1,py_1,0,confirmed,",
        "r1,py_1,-10,confirmed,",
        "r1,py_1,1e3,confirmed,",
        "r1,py_1,10,lost,",
        "r1,py_1,10,,",
        "r1,py_1,10,confirmed,yesterday",
        "r1",
    ],
)
def test_one_line_that_cannot_be_read_refuses_the_whole(line: str) -> None:
    assert faults(HEAD + "r0,py_0,5,confirmed,\n" + line + "\n") == [("/content/3", "line_unreadable")]


def test_another_gateways_columns_are_refused_by_name() -> None:
    assert faults("trackId;amount\n1;2\n") == [("/content", "column_missing")] * 5
    assert faults("") == [("/content", "column_missing")] * 5


def test_more_lines_than_a_function_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "LINES_MAX", 2)
    text = HEAD + "".join(f"r{number},,5,paid,\n" for number in range(3))
    assert faults(text) == [("/content", "too_many_lines")]


def test_report_without_lines_is_one_all_the_same() -> None:
    assert read_report(HEAD, GENERAL, 1) == []


def test_every_adapter_reads_reports_of_days() -> None:
    for name in ADAPTERS:
        kind = adapter(name)
        assert issubclass(kind, report.ReportsItsDay)  # type: ignore[arg-type]  # a class behind a callable
        assert {"can_fetch_report", "fetch_report", "read_report"} <= set(dir(kind))
