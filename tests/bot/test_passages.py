"""The page of a cited passage over real HTTP: who has its link reads it for the link's life, and nobody else."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from html import escape

import httpx
import pytest
import redis

from bot.passages import links
from bot.passages.shelf import LIFE_S, MAX_PAGES, MAX_TEXT_CHARS, CitedPassage, Piece, Shelf
from tests.bot.serving import serving

PASSAGE = CitedPassage(
    chunk_id="c1",
    labels=("console", "members", "public"),
    title="経費規程",
    uri="keiri/2026.md",
    pieces=(
        Piece("精算", "領収書は総務部に出します。", cited=False),
        Piece("精算 > 締め日", "締め日は毎月**25日**とする。", cited=True),
    ),
)
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> </section></main></body> &lt;b&gt; "
    "[押す](javascript:alert(1)) [図](data:text/html,x) [内](other.md) <mailto:a@example.jp> "
    "![絵](https://evil.example/pixel.png) <style>*{}</style>\n\n"
    '[引用](https://a.example/"onmouseover="alert(1)) \u202eback\u2066wards\u0007\u200b'
)


@pytest.fixture(scope="module")
def running(store_url: str) -> Iterator[httpx.Client]:
    with serving(store_url) as client:
        yield client


@pytest.fixture
def web(running: httpx.Client, store: redis.Redis) -> httpx.Client:
    """The web process on an empty store."""
    return running


@pytest.fixture
def shelf(store: redis.Redis) -> Shelf:
    return Shelf(store)


def read(web: httpx.Client, token: str) -> httpx.Response:
    return web.get(f"/passages/{token}")


def shown(web: httpx.Client, shelf: Shelf, *texts: str, title: str = "規程", heading: str = "") -> str:
    """The page of a passage with these texts, the first of them cited."""
    pieces = tuple(Piece(heading, text, cited=number == 0) for number, text in enumerate(texts))
    return read(web, shelf.keep(replace(PASSAGE, title=title, pieces=pieces))).text


def test_a_link_shows_the_passage_marked_in_its_document(web: httpx.Client, shelf: Shelf) -> None:
    page = read(web, shelf.keep(PASSAGE))

    assert page.status_code == 200
    assert "<h2>経費規程</h2>" in page.text
    before, cited = page.text.split('<section id="cited"')
    assert "領収書は総務部に出します。" in before
    assert "締め日は毎月<strong>25日</strong>とする。" in cited
    assert "<h3>精算 &gt; 締め日</h3>" in before
    assert "keiri/2026.md" in cited


@pytest.mark.parametrize(("text", "spoken"), [("締め日は25日です。", "ja"), ("The deadline is the 25th.", "en")])
def test_the_page_speaks_the_documents_language(web: httpx.Client, shelf: Shelf, text: str, spoken: str) -> None:
    assert f'<html lang="{spoken}">' in shown(web, shelf, text)


def test_the_page_is_kept_nowhere_and_runs_nothing(web: httpx.Client, shelf: Shelf) -> None:
    for token in (shelf.keep(PASSAGE), "forged"):
        headers = read(web, token).headers

        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert "noindex" in headers["x-robots-tag"]
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert "script-src" not in policy


def test_hostile_text_is_text_wherever_it_stands(web: httpx.Client, shelf: Shelf) -> None:
    page = shown(web, shelf, HOSTILE, HOSTILE, title=HOSTILE, heading=HOSTILE)

    assert set(re.findall(r"<(script|img|iframe|b|form)\b", page)) == set()
    assert page.count("<style>") == page.count("</main>") == page.count("</body>") == 1
    assert re.findall(r"<[^>]*\son\w+=", page) == []
    assert re.findall(r'href="(?!https?://)', page) == []
    assert not set("\u202e\u2066\u0007\u200b").intersection(page)
    assert escape("<script>alert(1)</script>", quote=False) in page


def test_a_document_of_a_million_characters_makes_a_page_that_one_can_open(web: httpx.Client, shelf: Shelf) -> None:
    million = "あ" * 1_000_000

    began = time.process_time()
    page = shown(web, shelf, million, million, title=million, heading=million)

    assert time.process_time() - began < 2
    assert len(page) < 3 * MAX_TEXT_CHARS + 30_000


def parts(token: str) -> tuple[str, str, str]:
    name, end, signature = token.split(".")
    return name, end, signature


def forgeries(token: str) -> list[str]:
    """Tokens that are nearly this one, or nothing like it."""
    name, end, signature = parts(token)
    return [
        f"{name}.{int(end) + 1}.{signature}",
        f"{name[:-1]}{'0' if name[-1] != '0' else '1'}.{end}.{signature}",
        f"{name}.{end}.{'A' * 43}",
        links.token(name, int(end), ""),
        links.token(name, int(end), "another key"),
        token[:-1],
        f"{token}x",
        token.upper(),
        f"{token}/more",
        "x" * 5_000,
        "%00",
        "%ff%fe",
        "",
    ]


def test_whatever_was_not_signed_here_opens_nothing(web: httpx.Client, shelf: Shelf) -> None:
    for forged in forgeries(shelf.keep(PASSAGE)):
        page = read(web, forged)

        assert page.status_code == 404, forged
        assert "This is not a link of ours" in page.text
        assert "締め日" not in page.text


def test_without_any_key_nothing_is_signed(web: httpx.Client, shelf: Shelf, store: redis.Redis) -> None:
    name, end, _ = parts(shelf.keep(PASSAGE))
    store.delete("passages:key")

    assert read(web, links.token(name, int(end), "")).status_code == 404


def test_a_link_of_one_place_does_not_open_what_is_kept_for_another(shelf: Shelf) -> None:
    elsewhere = replace(PASSAGE, labels=("public", "slack:C1"))

    assert parts(shelf.keep(PASSAGE))[0] != parts(shelf.keep(elsewhere))[0]


def test_a_link_ends_with_a_word_of_why(web: httpx.Client, shelf: Shelf, store: redis.Redis) -> None:
    name, _, _ = parts(shelf.keep(PASSAGE))
    key = str(store.get("passages:key"))

    page = read(web, links.token(name, int(time.time()) - 1, key))

    assert page.status_code == 410
    assert "This link has ended" in page.text


def test_link_and_record_end_together(shelf: Shelf, store: redis.Redis) -> None:
    name, end, _ = parts(shelf.keep(PASSAGE))

    assert int(end) - time.time() == pytest.approx(LIFE_S, abs=3)
    assert store.ttl(f"passage:{name}") == pytest.approx(LIFE_S, abs=3)
    assert store.ttl("passages") == pytest.approx(LIFE_S, abs=3)


def test_what_was_dropped_opens_no_more(web: httpx.Client, shelf: Shelf, store: redis.Redis) -> None:
    token = shelf.keep(PASSAGE)

    shelf.drop(PASSAGE.name)

    assert read(web, token).status_code == 410
    assert [*shelf.kept()] == []
    assert "締め日" not in str([store.get(key) for key in store.scan_iter("passage:*")])


def test_what_another_version_wrote_opens_no_more(web: httpx.Client, shelf: Shelf, store: redis.Redis) -> None:
    token = shelf.keep(PASSAGE)
    store.set(f"passage:{PASSAGE.name}", '{"of": "another version"}')

    assert read(web, token).status_code == 410


def test_links_outlive_the_process_that_made_them(web: httpx.Client, shelf: Shelf, store_url: str) -> None:
    token = shelf.keep(PASSAGE)

    with serving(store_url) as restarted:
        assert read(restarted, token).status_code == 200


def test_a_passage_cited_again_is_kept_once_and_both_links_open(web: httpx.Client, shelf: Shelf) -> None:
    first, second = shelf.keep(PASSAGE), shelf.keep(PASSAGE)

    assert [read(web, token).status_code for token in (first, second)] == [200, 200]
    assert len([*shelf.kept()]) == 1


def test_of_too_many_pages_the_one_cited_longest_ago_goes(web: httpx.Client, shelf: Shelf, store: redis.Redis) -> None:
    oldest, second = replace(PASSAGE, chunk_id="oldest"), replace(PASSAGE, chunk_id="second")
    tokens = [shelf.keep(passage) for passage in (oldest, second)]
    soon = time.time() + 1_000
    store.zadd("passages", {oldest.name: soon, second.name: soon + 1})
    store.zadd("passages", {str(number): soon + 2 for number in range(MAX_PAGES - 2)})
    assert [read(web, token).status_code for token in tokens] == [200, 200]

    shelf.keep(PASSAGE)

    assert [read(web, token).status_code for token in tokens] == [410, 200]
    assert store.zcard("passages") == MAX_PAGES


@pytest.mark.parametrize("agent", ["Slackbot-LinkExpanding 1.0", "facebookexternalhit/1.1;line-poker/1.0"])
def test_a_platform_that_fetches_a_preview_gets_no_document(web: httpx.Client, shelf: Shelf, agent: str) -> None:
    page = web.get(f"/passages/{shelf.keep(PASSAGE)}", headers={"User-Agent": agent})

    assert page.status_code == 403
    assert "締め日" not in page.text


def test_a_reader_is_told_when_the_store_is_down() -> None:
    with serving("unix:///nowhere/store.sock") as storeless:
        page = read(storeless, "a.1.b")

    assert page.status_code == 503
    assert "Please try again" in page.text


def test_a_reader_is_told_when_the_store_hangs_and_health_goes_on() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        serving(f"redis://127.0.0.1:{silent.getsockname()[1]}/0") as hanging,
    ):
        began = time.monotonic()
        assert read(hanging, "a.1.b").status_code == 503
        assert time.monotonic() - began < 4
        assert hanging.get("/healthz").status_code == 200
