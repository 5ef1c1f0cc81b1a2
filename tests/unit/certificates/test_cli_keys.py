"""`avarez keys`: every id that a key can have can be typed."""

from __future__ import annotations

import pytest

from avarez_cli.main import parser

ANSWERABLE = (
    "--since",
    "2026-11-24T08:00:00Z",
    "--reason",
    "a drill",
    "--origin",
    "http://x",
    "--username",
    "operator",
)


@pytest.mark.parametrize("kid", ["tvvHJ5YP5sA", "-tvvHJ5YP5s", "--vvHJ5YP5s", "-----------", "_-vvHJ5YP5s"])
@pytest.mark.parametrize("is_first", [True, False])
def test_id_that_begins_like_an_option_is_taken_as_the_id(kid: str, is_first: bool) -> None:
    told = [kid, *ANSWERABLE] if is_first else [*ANSWERABLE, kid]
    arguments = parser().parse_args(["keys", "compromise", *told])
    assert (arguments.kid, arguments.since, arguments.username) == (kid, ANSWERABLE[1], "operator")


def test_what_is_neither_an_id_nor_an_option_is_still_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parser().parse_args(["keys", "compromise", "--short", *ANSWERABLE])
    assert refused.value.code == 2
    assert "required: KID" in capsys.readouterr().err
