"""The page of a cited passage in a real browser: from the console's answer, on a phone, and with a hostile document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from bot.messages import Citation, Reply
from bot.passages import links
from bot.passages.shelf import CitedPassage, Piece, Shelf
from tests.bot.serving import serving
from tests.console_desk import Worker
from tests.e2e.test_console_page import ask, browser, pytestmark  # noqa: F401 - the same browser, or none

HOSTILE = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1> [a](javascript:window.hacked=1)"
WIDE = "|" + "とても長い見出し|" * 12 + "\n|" + "---|" * 12 + "\n|" + "値|" * 12


def passage(*texts: str, title: str = "経費規程") -> CitedPassage:
    """The first of the texts is cited."""
    pieces = tuple(Piece("精算 > 締め日", text, cited=number == 0) for number, text in enumerate(texts))
    return CitedPassage("c1", ("public",), title, "keiri/2026.md", pieces)


@pytest.fixture(scope="module")
def address(store_url: str) -> Iterator[str]:
    with serving(store_url) as client:
        yield str(client.base_url).rstrip("/")


@pytest.fixture
def phone(browser: Browser, store: redis.Redis) -> Iterator[Page]:  # noqa: F811
    """A phone in the dark; whatever its console says fails the test, refusals of the page's policy among it."""
    context = browser.new_context(
        locale="ja-JP", color_scheme="dark", viewport={"width": 360, "height": 640}, has_touch=True
    )
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    yield page
    context.close()
    assert said == []


@pytest.fixture
def console(browser: Browser, address: str, store: redis.Redis) -> Iterator[Page]:  # noqa: F811
    """The console, opened with its token."""
    context = browser.new_context(locale="ja-JP")
    page = context.new_page()
    page.goto(f"{address}/?token=token")
    yield page
    context.close()


def background(page: Page) -> tuple[int, ...]:
    """The page's colour, as red, green and blue."""
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return tuple(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))


def test_the_passage_is_in_sight_on_a_phone_and_nothing_hangs_over(
    phone: Page, address: str, store: redis.Redis
) -> None:
    token = Shelf(store).keep(passage("締め日は毎月**25日**です。", WIDE, "長" * 3000, "x" * 500))

    phone.goto(f"{address}{links.address(token)}")

    expect(phone.locator("#cited")).to_be_in_viewport()
    expect(phone.locator("#cited strong")).to_have_text("25日")
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    assert max(background(phone)) < 80


def test_a_hostile_document_runs_nothing(phone: Page, address: str, store: redis.Redis) -> None:
    token = Shelf(store).keep(passage(HOSTILE, HOSTILE, title=HOSTILE))

    phone.goto(f"{address}{links.address(token)}")

    expect(phone.locator("h2")).to_have_text(HOSTILE)
    assert phone.locator("script, img, iframe, [onerror], a[href^=javascript]").count() == 0


def test_a_source_in_the_console_opens_on_its_page(console: Page, store: redis.Redis) -> None:
    page_of_it = links.address(Shelf(store).keep(passage("締め日は毎月25日です。")))
    cited = Citation(1, "経費規程", "keiri/2026.md", "精算 > 締め日", "締め日は毎月25日です。", page_of_it)
    ask(console, "締め日は？")
    worker = Worker(store)
    worker.open(worker.message("締め日は？")).finish(Reply("25日です。", (cited,)))

    console.get_by_role("button", name="出典 1「経費規程」を開く").click()
    with console.context.expect_page() as opening:
        console.get_by_role("link", name="前後も読む").click()

    expect(opening.value.locator("#cited")).to_contain_text("締め日は毎月25日です。")
    expect(console.locator("#passage-place code")).to_have_text("keiri/2026.md")


def test_a_page_that_nobody_of_ours_made_is_not_opened_from_the_console(console: Page, store: redis.Redis) -> None:
    ask(console, "締め日は？")
    worker = Worker(store)
    cited = Citation(1, "経費規程", "a.md", "", "本文", "javascript:window.hacked=1")
    worker.open(worker.message("締め日は？")).finish(Reply("25日です。", (cited,)))

    console.get_by_role("button", name="出典 1「経費規程」を開く").click()

    expect(console.locator("#passage-place code")).to_have_text("a.md")
    assert console.locator("#passage-place a").count() == 0
