"""What the local run's gateway secret holds for the simulators: credentials that open nothing else."""

from __future__ import annotations

from infra.local.gateways.simulators import behpardakht, sadad, sep, zarinpal, zibal


def credentials(url: str, origin: str) -> dict[str, dict[str, str]]:
    """The settings of each adapter, for simulators at `url` and a system at `origin`."""
    own: dict[str, dict[str, str]] = {
        "zarinpal": {"merchant_id": zarinpal.MERCHANT_ID},
        "zibal": {"merchant": zibal.MERCHANT},
        "sep": {"terminal_id": sep.TERMINAL_ID},
        "sadad": {"merchant_id": sadad.MERCHANT_ID, "terminal_id": sadad.TERMINAL_ID, "key": sadad.KEY},
        "behpardakht": {
            "terminal_id": behpardakht.TERMINAL_ID,
            "user_name": behpardakht.USER_NAME,
            "user_password": behpardakht.USER_PASSWORD,
            "redirect_base": origin,
        },
    }
    return {
        name: {**members, "base_url": f"{url}/{name}", "report_url": f"{url}/{name}/report"}
        for name, members in own.items()
    }
