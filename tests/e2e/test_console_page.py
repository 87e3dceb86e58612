"""The console's page in a real browser, with a hand that plays the worker."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from bot.console.stream import ChatStream
from bot.messages import Action, Citation, Command, Message, Reply, control_from_json
from tests.console_desk import TOKEN, MemoryJournal, Worker, serving, until

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists() and not os.environ.get("CI"), reason=f"no browser at {CHROMIUM} (required where CI is set)"
)

QUESTION = "経費の締め日は？"
SOURCE = Citation(1, "経費規程", "https://docs.example/keihi", "精算 > 締め日", "締め日は毎月**25日**とする。")
FILE = Citation(2, "お知らせ", "keiri/2026.md", "", "振込は翌月10日。")
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(store_url: str) -> Iterator[str]:
    with serving(store_url) as console:
        yield console.address


@pytest.fixture
def worker(store: redis.Redis) -> Worker:
    return Worker(store)


@pytest.fixture
def context(browser: Browser, worker: Worker) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="ja-JP")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Page:
    return opened(context.new_page(), address)


def opened(page: Page, address: str) -> Page:
    page.goto(f"{address}/?token={TOKEN}")
    expect(page.locator("#empty")).to_be_visible()
    return page


def ask(page: Page, text: str) -> None:
    page.fill("#text", text)
    page.press("#text", "Enter")


def orders(store: redis.Redis) -> list[str]:
    return [order.name for text in store.hvals("controls") if isinstance(order := control_from_json(text), Command)]


def test_the_token_leaves_the_address(page: Page, address: str) -> None:
    assert page.url == f"{address}/"


def test_who_has_no_token_is_told_where_it_is(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address)

    expect(page.locator("main")).to_contain_text("?token=")
    expect(page.locator("textarea")).to_have_count(0)


def test_an_answer_grows_until_it_is_whole(page: Page, worker: Worker) -> None:
    ask(page, QUESTION)
    answer = page.locator(".answer")
    reply = worker.open(worker.message(QUESTION))

    reply.waiting("モデルを読み込んでいます")
    expect(answer).to_have_text("モデルを読み込んでいます")
    reply.update("25日です。")
    expect(answer).to_have_text("25日です。")
    expect(answer).to_have_attribute("aria-busy", "true")
    reply.update("25日です。休日なら前日です。")
    expect(answer).to_have_text("25日です。休日なら前日です。")
    reply.finish(Reply("25日です。休日なら前日です。以上。"))
    expect(answer).to_have_text("25日です。休日なら前日です。以上。")
    expect(answer).to_have_attribute("aria-busy", "false")


def test_what_a_document_says_stands_there_until_the_answer_does(page: Page, worker: Worker) -> None:
    ask(page, QUESTION)
    answer, sources = page.locator(".answer"), page.locator(".sources")
    reply = worker.open(worker.message(QUESTION))

    reply.preview(Reply("資料の抜粋です。\n「毎月25日」", (SOURCE,)))
    expect(answer).to_contain_text("「毎月25日」")
    expect(answer).to_have_attribute("data-state", "preview")
    expect(sources).to_contain_text("経費規程")
    reply.waiting("順番をお待ちください。")
    expect(answer).to_contain_text("「毎月25日」")
    expect(answer).to_contain_text("順番をお待ちください。")
    page.reload()
    expect(answer).to_contain_text("「毎月25日」")
    reply.update("25日です。")
    expect(answer).to_have_text("25日です。")
    expect(sources).to_have_count(0)
    expect(answer).not_to_have_attribute("data-state", "preview")


def test_a_preview_goes_when_another_worker_takes_over(page: Page, worker: Worker) -> None:
    ask(page, QUESTION)
    message, journal = worker.message(QUESTION), MemoryJournal()
    worker.open(message, journal).preview(Reply("「毎月25日」"))
    expect(page.locator(".answer")).to_contain_text("「毎月25日」")

    worker.open(message, journal).waiting("お待ちください")

    expect(page.locator(".answer")).to_have_text("お待ちください")


def test_a_screen_reader_hears_each_sentence_once(page: Page, worker: Worker) -> None:
    ask(page, QUESTION)
    reply = worker.open(worker.message(QUESTION))
    announcer = page.locator("#announcer")

    reply.update("一つ。")
    expect(announcer).to_have_text("一つ。")
    reply.update("一つ。二つ。")
    expect(announcer).to_have_text("二つ。")


def test_a_source_opens_the_passage(page: Page, worker: Worker) -> None:
    ask(page, QUESTION)
    worker.open(worker.message(QUESTION)).finish(Reply("25日です[1]。", (SOURCE, FILE)))
    sheet = page.locator("#passage")

    page.get_by_role("button", name="出典 1「経費規程」を開く").last.click()
    expect(sheet).to_contain_text("精算 > 締め日")
    expect(sheet.locator("strong")).to_have_text("25日")
    expect(sheet.get_by_role("link")).to_have_attribute("href", "https://docs.example/keihi")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()

    page.get_by_role("button", name="出典 2").click()
    expect(sheet).to_contain_text("keiri/2026.md")
    expect(sheet.get_by_role("link")).to_have_count(0)


def test_a_mark_in_the_text_opens_its_passage_too(page: Page, worker: Worker) -> None:
    ask(page, QUESTION)
    worker.open(worker.message(QUESTION)).finish(Reply("25日です[1]。[7]", (SOURCE,)))

    page.locator("button.mark").click()

    expect(page.locator("#passage")).to_contain_text("経費規程")
    expect(page.locator(".answer")).to_contain_text("[7]")


def test_markdown_has_its_form(page: Page, worker: Worker) -> None:
    text = (
        "## 手順\n\n1. 登録\n   - 写真\n2. 承認\n\n| 区分 | 上限 |\n|---|---|\n| 会議費 | `5,000`円 |\n\n"
        "> 引用\n\n```sh\nmake **run**\n```\n\n* 2*3 は 6\n* https://docs.example/a?b=1。"
    )
    ask(page, QUESTION)
    worker.open(worker.message(QUESTION)).finish(Reply(text))
    answer = page.locator(".answer")

    expect(answer.locator("h4")).to_have_text("手順")
    expect(answer.locator(".prose > ol > li")).to_have_count(2)
    expect(answer.locator("ol ul li")).to_have_text("写真")
    expect(answer.locator("td code")).to_have_text("5,000")
    expect(answer.locator("blockquote")).to_have_text("引用")
    expect(answer.locator("pre")).to_have_text("make **run**")
    expect(answer.locator(".prose > ul > li").first).to_have_text("2*3 は 6")
    expect(answer.get_by_role("link")).to_have_attribute("href", "https://docs.example/a?b=1")


def test_a_reload_and_a_second_tab_show_the_same_chat(page: Page, worker: Worker, address: str) -> None:
    ask(page, QUESTION)
    worker.open(worker.message(QUESTION)).finish(Reply("25日です。", (SOURCE,)))
    expect(page.locator(".chip")).to_be_visible()
    before = page.locator("#turns").inner_text()

    page.reload()
    second = page.context.new_page()
    second.goto(address)

    for tab in (page, second):
        expect(tab.locator(".chip")).to_be_visible()
        assert tab.locator("#turns").inner_text() == before
        expect(tab.locator("#announcer")).to_be_empty()


def test_the_stop_button_is_there_while_an_answer_is_written(page: Page, worker: Worker) -> None:
    stop = page.get_by_role("button", name="回答を止める")
    expect(stop).to_be_hidden()
    ask(page, QUESTION)
    reply = worker.open(worker.message(QUESTION))
    reply.update("25日")

    stop.click()

    until(lambda: orders(worker.store) == ["stop"])
    reply.finish(Reply("25日"))
    expect(stop).to_be_hidden()


def test_the_enter_that_chooses_a_conversion_does_not_send(page: Page, worker: Worker) -> None:
    keyboard = page.context.new_cdp_session(page)
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
    page.focus("#text")
    page.evaluate("addEventListener('keydown', (event) => (window.lastEnter = event.isComposing), true)")

    keyboard.send("Input.imeSetComposition", {"text": "けいひ", "selectionStart": 3, "selectionEnd": 3})
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    assert page.evaluate("window.lastEnter") is True
    keyboard.send("Input.insertText", {"text": "経費"})

    expect(page.locator("#text")).to_have_value("経費")
    expect(page.locator(".question")).to_have_count(0)
    page.press("#text", "Enter")
    assert worker.message("経費")


def test_the_enter_that_safari_sends_after_a_conversion_does_not_send(page: Page) -> None:
    page.fill("#text", "経費")

    default = page.evaluate(
        "document.querySelector('#text').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}))"
    )

    assert default is True
    expect(page.locator(".question")).to_have_count(0)


def test_shift_and_enter_begin_a_new_line(page: Page, worker: Worker) -> None:
    page.fill("#text", "一行目")
    page.press("#text", "Shift+Enter")
    page.keyboard.insert_text("二行目")
    page.press("#text", "Enter")

    assert worker.message("一行目\n二行目")


def test_white_space_is_not_sent(page: Page) -> None:
    ask(page, " \n ")

    expect(page.locator(".question")).to_have_count(0)
    expect(page.locator("#send")).to_be_disabled()


def test_scripts_stay_text_everywhere(page: Page, worker: Worker) -> None:
    script = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"
    bad = Citation(1, script, "javascript:window.hacked=1", script, f"**{script}**\n\n[a](javascript:window.hacked=1)")
    answer = f"{script}\n\n- `{script}`\n\n| {script} |\n|---|\n\n[a](javascript:window.hacked=1) [1]"
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    ask(page, script)
    message = worker.message(script)
    worker.open(message).finish(Reply(answer, (bad,)))
    ChatStream(worker.store).notice(message.conversation_id, "order-1", script)

    expect(page.locator(".said")).to_have_text(script)
    expect(page.locator(".notice")).to_have_text(script)
    page.locator(".chip").click()
    expect(page.locator("#passage-title")).to_have_text(script)
    expect(page.locator("#passage-text strong")).to_have_text(script)
    expect(page.locator("#passage-place code")).to_have_text("javascript:window.hacked=1")
    assert page.locator("main img, dialog img, body script, a[href^=javascript]").count() == 0
    assert page.evaluate("window.hacked") is None
    assert alerts == []


@pytest.mark.parametrize(
    ("locale", "spoken"),
    [
        ("ja-JP", ("ja", "こんにちは。ご用件をどうぞ。", "新しい会話")),
        ("en-GB", ("en", "Hello. How can I help?", "New chat")),
        ("fr-FR", ("en", "Hello. How can I help?", "New chat")),
    ],
)
def test_the_page_speaks_japanese_or_english(
    browser: Browser, store: redis.Redis, address: str, locale: str, spoken: tuple[str, str, str]
) -> None:
    language, greeting, button = spoken
    context = browser.new_context(locale=locale)
    page = opened(context.new_page(), address)

    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.get_by_role("heading", level=2, name=greeting)).to_be_visible()
    expect(page.get_by_role("button", name=button)).to_be_visible()
    context.close()


def test_an_example_is_a_question_at_once(page: Page, worker: Worker) -> None:
    page.get_by_role("button", name="パスワードを忘れました").click()

    assert worker.message("パスワードを忘れました")
    expect(page.locator("#empty")).to_be_hidden()


def test_erasing_asks_first(page: Page, worker: Worker) -> None:
    page.get_by_role("button", name="消去").click()
    page.get_by_role("button", name="やめる").click()
    expect(page.locator("#confirm")).to_be_hidden()
    page.get_by_role("button", name="消去").click()
    page.get_by_role("button", name="消去する").click()

    until(lambda: orders(worker.store) == ["forget"])


def test_what_is_erased_leaves_the_page(page: Page, worker: Worker) -> None:
    ask(page, QUESTION)
    message = worker.message(QUESTION)
    worker.open(message).finish(Reply("25日です。"))
    expect(page.locator(".answer")).to_have_text("25日です。")

    ChatStream(worker.store).clear(message.conversation_id)

    expect(page.locator("#turns")).to_be_empty()
    expect(page.locator("#empty")).to_be_visible()
    assert "25日" not in page.content()


def test_a_typed_order_is_no_question(page: Page, worker: Worker) -> None:
    ask(page, "リセット")

    until(lambda: orders(worker.store) == ["reset"])
    expect(page.locator(".question")).to_have_count(0)


def test_what_was_not_sent_can_be_sent_again_and_is_one_message(page: Page, worker: Worker) -> None:
    def cut_after_arrival(route: Route) -> None:
        route.fetch()
        route.abort()

    ways: list[Callable[[Route], Any]] = [lambda route: route.abort(), cut_after_arrival]
    page.route("**/console/messages", lambda route: ways.pop(0)(route) if ways else route.continue_())
    page.route("**/console/events*", lambda route: route.abort())  # the echo would show that it arrived
    page.reload()

    ask(page, QUESTION)
    for _ in range(2):
        expect(page.locator(".unsent")).to_contain_text("送信できませんでした")
        page.get_by_role("button", name="もう一度送る").click()

    expect(page.locator(".unsent")).to_have_count(0)
    assert [message.text for message in worker.messages()] == [QUESTION]


def test_the_echo_shows_that_a_message_arrived_whose_post_was_cut(page: Page, worker: Worker) -> None:
    page.route("**/console/messages", lambda route: (route.fetch(), route.abort()))

    with page.expect_event("requestfailed"):  # the route's function runs only while Playwright is waited for
        ask(page, QUESTION)
    worker.open(worker.message(QUESTION)).finish(Reply("25日です。"))

    expect(page.locator(".answer")).to_have_text("25日です。")
    expect(page.locator(".unsent")).to_have_count(0)


def test_another_workers_answer_takes_the_place_of_a_broken_one(page: Page, worker: Worker) -> None:
    ask(page, QUESTION)
    message, journal = worker.message(QUESTION), MemoryJournal()
    worker.open(message, journal).update("25日で")
    expect(page.locator(".answer")).to_have_text("25日で")

    worker.open(message, journal).waiting("もう一度考えています")
    expect(page.locator(".answer")).to_have_text("もう一度考えています")
    worker.open(message, journal).finish(Reply("毎月25日です。"))

    expect(page.locator(".answer")).to_have_text("毎月25日です。")


def test_an_answer_to_two_questions_leaves_none_waiting(page: Page, worker: Worker) -> None:
    ask(page, "一つ目")
    ask(page, "二つ目")
    expect(page.locator(".dots")).to_have_count(2)
    worker.message("一つ目")

    worker.open(worker.message("二つ目")).finish(Reply("両方の答え"))

    expect(page.locator(".answer:visible")).to_have_text(["両方の答え"])
    expect(page.locator(".dots")).to_have_count(0)
    expect(page.locator("#stop")).to_be_hidden()


def test_an_apology_is_shown(page: Page, worker: Worker) -> None:
    ask(page, QUESTION)
    worker.open(worker.message(QUESTION)).fail("申し訳ありません。")

    expect(page.locator(".answer[data-state=failed]")).to_have_text("申し訳ありません。")


def test_the_page_comes_back_after_the_server_was_away(context: BrowserContext, worker: Worker, store_url: str) -> None:
    with serving(store_url) as console:
        page = opened(context.new_page(), console.address)
        ask(page, QUESTION)
        message = worker.message(QUESTION)
        expect(page.locator(".dots")).to_be_visible()
    expect(page.locator("#connection")).to_contain_text("つなぎ直しています")
    worker.open(message).finish(Reply("25日です。"))

    with serving(store_url, port=int(console.address.rpartition(":")[2])):
        expect(page.locator(".answer")).to_have_text("25日です。")
        expect(page.locator("#connection")).to_be_hidden()
        expect(page.locator(".said")).to_have_count(1)


def test_the_status_line_says_whether_answers_are_to_be_had(page: Page, worker: Worker) -> None:
    expect(page.locator("#state")).to_have_text("回答の担当を待っています")
    worker.store.set("status:replies", '{"ready": true}')
    worker.store.set("status:knowledge", '{"documents": 15}')

    expect(page.locator("#state")).to_have_text("回答できます · 文書 15 件", timeout=10_000)


def test_the_page_asks_nobody_else_and_breaks_no_rule_of_its_policy(
    context: BrowserContext, worker: Worker, address: str
) -> None:
    page = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    opened(page, address)
    ask(page, QUESTION)
    worker.open(worker.message(QUESTION)).finish(Reply("| a |\n|---|\n| **b** |", (SOURCE,)))
    page.locator(".chip").click()

    assert asked
    assert [url for url in asked if not url.startswith(address)] == []
    assert errors == []


def test_a_narrow_screen_needs_no_scrolling_sideways(browser: Browser, worker: Worker, address: str) -> None:
    context = browser.new_context(locale="ja-JP", viewport={"width": 390, "height": 760}, has_touch=True)
    page = opened(context.new_page(), address)
    ask(page, "あ" * 300)
    long = "https://docs.example/" + "x" * 300
    worker.open(worker.message("あ" * 300)).finish(Reply(f"{long}\n\n`{long}`\n\n| {long} | b |\n|---|---|", (SOURCE,)))
    expect(page.locator(".chip")).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("document.querySelector('#scroll').scrollWidth <= 390")
    context.close()


def answered(page: Page, worker: Worker, *, may_train: bool = False) -> Message:
    ask(page, QUESTION)
    message = worker.message(QUESTION)
    ChatStream(worker.store).done(
        message.conversation_id, message.id, Reply("25日です。[1]", (SOURCE,)), may_train=may_train
    )
    expect(page.locator(".vote").first).to_be_visible()
    return message


def votes(store: redis.Redis) -> list[str]:
    controls = (control_from_json(text) for text in store.hvals("controls"))
    return [control.value for control in controls if isinstance(control, Action)]


def test_an_answer_is_voted_on_by_keyboard_and_the_vote_is_there_after_a_reload(
    page: Page, worker: Worker, store: redis.Redis
) -> None:
    message = answered(page, worker)
    helpful = page.get_by_role("button", name="役に立った", exact=True)

    helpful.focus()
    page.keyboard.press("Enter")
    until(lambda: votes(store))
    ChatStream(store).voted(message.conversation_id, message.id, "up")

    assert votes(store) == [f"up {message.id}"]
    expect(helpful).to_be_focused()
    expect(helpful).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(helpful).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="役に立たなかった")).to_have_attribute("aria-pressed", "false")


def test_a_button_that_lends_for_training_says_so_in_sight(page: Page, worker: Worker, store: redis.Redis) -> None:
    message = answered(page, worker, may_train=True)

    page.get_by_role("button", name="役に立った（この質問と答えを学習に使ってよい）").click()

    until(lambda: votes(store))
    assert votes(store) == [f"up+train {message.id}"]
    shown = page.locator(".vote").first.evaluate("node => getComputedStyle(node, '::after').content")
    assert "学習に使ってよい" in shown


def test_the_buttons_are_drawn_and_need_no_font_for_emoji(page: Page, worker: Worker) -> None:
    answered(page, worker)
    up, down = (page.locator(".vote").nth(at) for at in (0, 1))

    assert [button.inner_text() for button in (up, down)] == ["", ""]
    assert up.locator("svg").bounding_box()["width"] > 10  # type: ignore[index]
    turned = down.locator("svg").evaluate("node => getComputedStyle(node).transform")
    assert turned.startswith("matrix(-1, 0, 0, -1")
    assert up.locator("svg").get_attribute("aria-hidden") == "true"


def test_a_vote_that_was_not_sent_is_not_shown_as_pressed(page: Page, worker: Worker) -> None:
    answered(page, worker)
    page.route("**/console/orders", lambda route: route.fulfill(status=503))
    unhelpful = page.get_by_role("button", name="役に立たなかった")

    unhelpful.click()

    expect(page.locator("#toast")).to_be_visible()
    expect(unhelpful).to_have_attribute("aria-pressed", "false")


def test_an_answer_without_sources_has_no_buttons(page: Page, worker: Worker) -> None:
    ask(page, QUESTION)
    worker.open(worker.message(QUESTION)).finish(Reply("資料には見つかりませんでした。"))

    expect(page.locator(".answer")).to_contain_text("見つかりません")
    expect(page.locator(".votes")).to_be_hidden()
