"""The box one writes in. Enter sends, Shift+Enter breaks the line, and the Enter that ends a Korean
or Chinese composition does neither. The text stays in the browser until it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import events, ui

from adapters.web.elements import box

Send = Callable[[str], Awaitable[None]]

LONGEST = 20_000
"""Characters of one post."""

_SUBMIT = """(event) => {
  if (event.type === "keydown") {
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
  }
  const composer = event.target.closest(".db-composer");
  const input = composer.querySelector("textarea");
  const text = input.value.trim();
  input.focus();
  if (!text) return;
  input.value = "";
  input.style.height = "";
  const log = composer.closest(".db-chat").querySelector(".db-log");
  if (!log.contains(composer)) log.scrollTop = 0;
  emit(text);
}"""
"""Emptied here, not by the server, so that nothing typed meanwhile is lost. The log is laid out from
its end, so 0 is the newest post."""

_GROW = '(event) => { event.target.style.height = ""; event.target.style.height = event.target.scrollHeight + "px"; }'


def composer(label: str, send_label: str, send: Send, *, classes: str = "") -> None:
    """A growing text box named `label` and a button named `send_label`."""

    async def submit(event: events.GenericEventArguments) -> None:
        await send(str(event.args))

    with box("div", f"db-composer {classes}"):
        field = box("textarea", rows="1", maxlength=str(LONGEST), placeholder=label, aria_label=label)
        field.on("keydown", submit, js_handler=_SUBMIT)
        field.on("input", js_handler=_GROW)
        button = box("button", "db-send", type="button", aria_label=send_label, title=send_label)
        button.on("click", submit, js_handler=_SUBMIT)
        with button:
            ui.icon("arrow_upward").props["aria-hidden"] = "true"
