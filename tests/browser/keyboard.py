"""A reader without a mouse: what she reaches by keys is in sight, shows the focus, and is covered by nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, expect

STOPS_MAX = 120
"""So many steps of the tabulator lead once around the longest page."""
NO_MOUSE = "addEventListener('mousedown', () => { throw new Error('a mouse was used'); }, true);"
"""The fixture `page` fails on an error of a script."""

STOP = """(wanted) => {
    const node = document.activeElement;
    if (!node || node === document.body || node === document.documentElement) return null;
    const bearers = [node, node.closest("label"), node.nextElementSibling, node.parentElement].filter(Boolean);
    const marked = bearers.find((one) => {
        const style = getComputedStyle(one);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    const box = (marked ?? node).getBoundingClientRect();
    const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
    const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
    const seen = right - left > 1 && bottom - top > 1;
    const over = seen ? document.elementFromPoint((left + right) / 2, (top + bottom) / 2) : null;
    const clear = over && (over.contains(node) || bearers.some((one) => one.contains(over)));
    const faults = [!marked && "shows no focus", !seen && "is out of sight", seen && !clear && "is covered"];
    return {
        name: node.outerHTML.slice(0, 110),
        here: node.matches(wanted),
        faults: [...faults, node.tabIndex > 0 && "jumps the order"].filter(Boolean),
    };
}"""
INSIDE = """(dialog) => {
    const node = document.activeElement;
    return node === document.body || Boolean(node.closest(dialog));
}"""


@dataclass(slots=True)
class Keys:
    """The keyboard of a page, and what was found at each stop of the focus."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(NO_MOUSE)

    def to(self, wanted: str, *, back: bool = False) -> None:
        """Steps on (or back) until the focus is on an element that `wanted` selects."""
        passed: list[str] = []
        for _ in range(STOPS_MAX):
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            stop = self.page.evaluate(STOP, wanted)
            if stop is None:
                passed.append("(the document's end)")
                continue
            self._note(stop)
            passed.append(stop["name"])
            if stop["here"]:
                return
        raise AssertionError(f"{wanted} was not reached; passed:\n" + "\n".join(passed))

    def press(self, wanted: str, *, key: str = "Enter", back: bool = False) -> None:
        """Goes to it and presses Enter on it."""
        self.to(wanted, back=back)
        self.page.keyboard.press(key)

    def fill(self, wanted: str, text: str) -> None:
        """Goes to a field and types."""
        self.to(wanted)
        self.page.keyboard.type(text)

    def stays(self, wanted: str) -> Locator:
        """The focus is here, where the page put it."""
        place = self.page.locator(wanted)
        expect(place).to_be_focused()
        return place

    def stays_inside(self, dialog: str, steps: int) -> None:
        """So many steps on and back leave the dialog for nothing that lies below it."""
        for key in ("Tab", "Shift+Tab"):
            for _ in range(steps):
                self.page.keyboard.press(key)
                inside = self.page.evaluate(INSIDE, dialog)
                assert inside, self.page.evaluate("document.activeElement.outerHTML.slice(0, 120)")

    def nothing_amiss(self) -> None:
        """Every stop so far was in sight, uncovered and marked."""
        assert self.faults == [], "\n".join(self.faults)

    def _note(self, stop: dict[str, Any]) -> None:
        line = f"{stop['name']} {' and '.join(stop['faults'])}"
        if stop["faults"] and line not in self.faults:
            self.faults.append(line)
