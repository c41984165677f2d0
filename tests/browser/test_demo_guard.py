"""The demo page in a real browser, visited by attackers: other sites, forged cookies, sessions that have ended."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright, expect

from adapters.web.sessions import LONGEST
from tests.browser.conftest import FLAGS, Demo, question
from tests.conformance.programs import chromium

pytestmark = pytest.mark.browser


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Another site on this machine: another port is another origin, and the same cookies."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>elsewhere</title>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _listening(page: Page) -> list[str]:
    """What the page complains of in its console, filled as it goes on."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


async def _cookies(context: BrowserContext) -> dict[str, str]:
    return {cookie["name"]: cookie["value"] for cookie in await context.cookies()}


async def test_the_page_works_under_its_policy_without_a_complaint(demo: Demo) -> None:
    """Loading, live updates, a menu, an example: nothing is blocked, nothing fails."""
    context = await demo.browser.new_context(locale="en-GB")
    page = await context.new_page()
    said = _listening(page)
    answer = await page.goto(demo.url)
    assert answer is not None
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    await page.get_by_role("button", name="My VPN keeps disconnecting").click()
    await demo.desk.first()
    await page.get_by_role("combobox").first.click()
    await page.get_by_role("option").last.click()
    await page.get_by_role("button", name="한국어").click()
    await expect(page.get_by_text("문의하는 사람")).to_be_visible()
    assert said == []


async def test_another_site_cannot_open_the_socket(demo: Demo, elsewhere: str) -> None:
    """Though the browser sends the cookie of this machine along, and the visitor has the page open."""
    mine = await demo.open()
    theirs = await mine.context.new_page()
    await theirs.goto(elsewhere)
    attempt = """url => new Promise(done => {
      const socket = new WebSocket(url.replace("http", "ws") + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket");
      socket.onopen = () => done("open"); socket.onmessage = () => done("message"); socket.onerror = () => done("no");
    })"""
    assert await theirs.evaluate(attempt, demo.url) == "no"
    assert await mine.evaluate(attempt, demo.url) != "no"


async def test_another_site_can_neither_read_nor_post_nor_frame(demo: Demo, elsewhere: str) -> None:
    """What comes back is a refusal, of which the other site sees nothing."""
    mine = await demo.open()
    theirs = await mine.context.new_page()
    await theirs.goto(elsewhere)
    posted = """url => fetch(url, {method: "POST", mode: "no-cors", credentials: "include"})
      .then(() => "sent", () => "kept from it")"""
    assert await theirs.evaluate(posted, f"{demo.url}/_nicegui_ws/socket.io/?EIO=4&transport=polling") == "kept from it"
    await theirs.evaluate(
        """url => new Promise(done => {
          const frame = document.createElement("iframe");
          frame.onload = () => done(); frame.src = url; document.body.append(frame);
        })""",
        demo.url,
    )
    (frame,) = (each for each in theirs.frames if each is not theirs.main_frame)
    assert frame.url.startswith("chrome-error:")


async def test_a_name_that_points_here_shows_nothing(demo: Demo) -> None:
    """DNS rebinding: the browser takes it for the other site's own server."""
    async with async_playwright() as playwright:
        rules = "--host-resolver-rules=MAP rebound.example 127.0.0.1"
        browser = await playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, rules])
        page = await browser.new_page()
        answer = await page.goto(demo.url.replace("127.0.0.1", "rebound.example"))
        assert answer is not None
        assert answer.status == 421
        assert await page.locator("script").count() == 0
        await browser.close()


async def test_a_forged_cookie_is_replaced(demo: Demo) -> None:
    """The page works, as somebody new; scripts cannot read the cookie."""
    page = await demo.open()
    (name, value), *rest = (await _cookies(page.context)).items()
    assert rest == []
    await page.context.add_cookies([{"name": name, "value": f"x{value}", "url": demo.url}])
    await page.reload()
    await question(page).fill("hello")
    await question(page).press("Enter")
    assert (await demo.desk.first()).text == "hello"
    assert (await _cookies(page.context))[name] not in (value, f"x{value}")
    assert await page.evaluate("document.cookie") == ""


async def test_who_one_is_belongs_to_the_session(demo: Demo) -> None:
    """A new tab of the same browser is the same person; a new browser, and a link from elsewhere, choose nobody."""
    page = await demo.open()
    await page.get_by_role("button", name="한국어").click()
    await expect(page.get_by_role("button", name="VPN이 자꾸 끊겨요")).to_be_visible()
    second = await page.context.new_page()
    await second.goto(demo.url)
    await expect(second.get_by_role("button", name="VPN이 자꾸 끊겨요")).to_be_visible()
    await demo.open()


async def test_a_link_on_another_site_does_not_choose_who_one_is(demo: Demo, elsewhere: str) -> None:
    """The address counts only when the visitor, or our own page, wrote it."""
    page = await (await demo.browser.new_context(locale="en-GB")).new_page()
    await page.goto(elsewhere)
    await page.evaluate("url => { location.href = url }", f"{demo.url}/?me=minji&lang=ko")
    await expect(page.get_by_role("button", name="My VPN keeps disconnecting")).to_be_visible()


async def test_a_page_whose_session_ended_loads_itself_again(demo: Demo) -> None:
    """In a new session, within the seconds between two signs of life."""
    page = await demo.open()
    before = await _cookies(page.context)
    async with page.expect_navigation(timeout=30_000):
        demo.hours.now += LONGEST
    await expect(page.get_by_role("button", name="My VPN keeps disconnecting")).to_be_visible()
    after = await _cookies(page.context)
    assert (after.keys(), after == before) == (before.keys(), False)
    await question(page).fill("hello")
    await question(page).press("Enter")
    assert (await demo.desk.first()).text == "hello"
