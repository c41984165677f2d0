"""Small HTML pieces the page is put together from; every text goes in as text, never as markup."""

from __future__ import annotations

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

HUES = (252, 210, 172, 142, 96, 38, 12, 340, 292)


class Text(TextElement):
    """`ui.label` with a tag that says what the text is: a time, a quote, a heading."""

    def __init__(self, text: str, tag: str = "span", *, classes: str = "") -> None:
        super().__init__(tag=tag, text=text)
        self.classes(classes)


def box(tag: str, classes: str = "", **attributes: str) -> ui.element:
    """An element with attributes; `aria_label` stands for `aria-label`."""
    element = ui.element(tag).classes(classes)
    for name, value in attributes.items():
        element.props[name.replace("_", "-")] = value
    return element


def avatar(name: str | None) -> None:
    """A person's initial on their own colour; None is the bot. Decoration: the name stands beside it."""
    if name is None:
        with box("div", "db-avatar db-avatar-bot", aria_hidden="true"):
            ui.icon("notifications")
        return
    hue = HUES[sum(map(ord, name)) % len(HUES)]
    with box("div", "db-avatar", aria_hidden="true").style(f"--hue: {hue}"):
        Text(name[:1].upper())
