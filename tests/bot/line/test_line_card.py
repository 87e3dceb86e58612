"""The card below an answer: what it shows, and that LINE takes it, whatever documents are called."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linebot.v3.messaging import FlexMessage

from bot.line.card import MAX_ALT_CHARS, MAX_SOURCES, card
from bot.line.postback import MAX_DATA_CHARS, Postback
from bot.line.source import MAX_HEADING_CHARS, MAX_TITLE_CHARS
from bot.messages import Citation, JSONObject, Reply
from bot.platform import Target
from bot.votes import VOTE, Ballot
from tests.fakes import line_flex
from tests.fakes.line_events import GROUP, USER

TARGET = Target("line:468789577898262530", f"line:{USER}", "ja", {})
RULES = Citation(1, "就業規則", "https://example.jp/rules", "休暇 > 年次", "…")
LEAVE = Citation(2, "就業規則", "https://example.jp/rules", "休職", "…")
MEMO = Citation(3, "メモ", "notes/memo.md", "", "…", page="https://desk.example.jp/passages/abc.def")
PATH = Citation(4, "手順", "notes/steps.md", "", "…")


def made(
    *citations: Citation, text: str = "20日です。", target: Target = TARGET, may_train: bool = False
) -> JSONObject:
    """A card that LINE takes: the SDK's models know all of it, and nothing is beyond a limit."""
    below = card(Reply(text, citations), target, may_train=may_train)
    assert below is not None
    assert FlexMessage.from_dict(dict(below)).to_dict() == below
    assert line_flex.fault(below) is None
    return below


def lines(below: JSONObject) -> list[str]:
    return line_flex.shown(below).split("\n")


def uris(below: JSONObject) -> list[str]:
    parts = below["contents"]["body"]["contents"]
    return [part["action"]["uri"] for part in parts if "action" in part]


def labels(below: JSONObject) -> list[str]:
    """What names the sources."""
    return [part["text"] for part in below["contents"]["body"]["contents"]][1:]


def cited(title: str, uri: str = "https://example.jp/a", heading: str = "") -> Citation:
    return Citation(1, title, uri, heading, "…")


def test_sources_are_links_where_something_opens_and_words_where_nothing_does() -> None:
    assert lines(made(RULES, MEMO, PATH)) == [
        "出典",
        "就業規則 › 休暇 > 年次 https://example.jp/rules",
        "メモ https://desk.example.jp/passages/abc.def",
        "手順",
        "👍 役に立った",
        "👎 役に立たなかった",
    ]


def test_it_speaks_the_language_of_who_asked() -> None:
    below = made(RULES, target=Target("line:1", f"line:{USER}", "en", {}))

    assert lines(below)[0] == "Sources"
    assert lines(below)[-2:] == ["👍 Helpful", "👎 Not helpful"]
    assert below["altText"].startswith("Sources: ")


def test_a_notification_names_the_documents() -> None:
    assert made(RULES, PATH)["altText"] == "出典: 就業規則 › 休暇 > 年次、手順"


def test_an_answer_without_sources_has_no_card_and_no_votes() -> None:
    assert card(Reply("こんにちは。"), TARGET, may_train=True) is None


def test_a_document_has_one_line_and_a_number_only_where_the_answer_says_it() -> None:
    assert labels(made(RULES, LEAVE, MEMO, text="有給[1]と休職[2]。")) == ["[1][2] 就業規則", "メモ"]


def test_ten_documents_are_named_and_no_more() -> None:
    many = [Citation(n, f"文書{n}", f"https://example.jp/{n}", "", "") for n in range(1, 14)]

    assert labels(made(*many)) == [f"文書{n}" for n in range(1, MAX_SOURCES + 1)]


def test_a_button_carries_the_ballot_of_this_answer_in_this_chat() -> None:
    buttons = [Postback.read(data) for data in line_flex.postbacks(made(RULES))]

    assert buttons == [Postback(VOTE, f"line:{USER}", TARGET.message_id, "ja", value) for value in ("up", "down")]


def test_what_is_agreed_to_is_in_sight_and_in_the_ballot() -> None:
    below = made(RULES, may_train=True)

    up, down = (Postback.read(data) for data in line_flex.postbacks(below))
    assert "学習に使ってよい" in line_flex.shown(below)
    assert up is not None
    assert Ballot.read(f"{up.value} {up.message_id}") == Ballot(TARGET.message_id, "up", may_train=True)
    assert down is not None
    assert down.value == "down"


@pytest.mark.parametrize("may_train", [True, False])
def test_the_longest_ids_that_line_gives_fit_a_button(may_train: bool) -> None:
    target = Target("line:" + "9" * 40, f"line:{GROUP}", "ja", {})

    data = line_flex.postbacks(made(RULES, target=target, may_train=may_train))

    assert len(data) == 2
    assert all(len(one) <= MAX_DATA_CHARS for one in data)


@pytest.mark.parametrize(
    "target",
    [
        Target("line:" + "9" * 290, f"line:{GROUP}", "ja", {}),
        Target("line:" + "9" * 390, f"line:{GROUP}", "ja", {}),
        Target("line:1", "line:" + "C" * 390, "ja", {}),
        Target("line:" + "&" * 80, f"line:{GROUP}", "ja", {}),
    ],
)
def test_where_an_id_does_not_fit_the_sources_are_shown_without_votes(target: Target) -> None:
    below = made(RULES, target=target)

    assert line_flex.postbacks(below) == []
    assert labels(below) == ["就業規則 › 休暇 > 年次"]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("a\x00b\u202ec\u200bd\n\te", "abcd e"),
        ("経費規程 " * 1_000, ("経費規程 " * 12)[: MAX_TITLE_CHARS - 1].rstrip() + "…"),
        ("", "—"),
        (" \n\u200b", "—"),
        ("👨‍👩‍👧‍👦" * 100, "👨‍👩‍👧‍👦" * 8 + "…"),
        ("🇯🇵" * 100, "🇯🇵" * 29 + "…"),
        ("か\u3099" * 100, "か\u3099" * 29 + "…"),
        ("https://evil.example/login", "（リンク省略）"),
        ("@all 至急", "all 至急"),
        ("**太字** [規則](https://evil.example/)", "**太字** 規則"),
        ("قواعد العمل", "قواعد العمل"),
        ("<script>alert(1)</script>x", "alert(1) x"),
    ],
    ids=repr,
)
def test_a_hostile_title_is_one_short_line(title: str, shown: str) -> None:
    assert labels(made(Citation(1, title, "", "", ""))) == [shown]


def test_a_title_of_one_endless_character_is_cut_too() -> None:
    (label,) = labels(made(cited("e" + "\u0301" * 5_000)))

    assert len(label) <= MAX_TITLE_CHARS


def test_a_heading_is_short_and_not_said_twice() -> None:
    assert labels(made(cited("就業規則", heading="就業規則"))) == ["就業規則"]
    (label,) = labels(made(cited("就業規則", heading="長い見出し" * 50)))
    assert len(label) == len("就業規則 › ") + MAX_HEADING_CHARS


@pytest.mark.parametrize(
    ("address", "opens"),
    [
        (
            "https://example.jp/経費?q=締め日#節",
            "https://example.jp/%E7%B5%8C%E8%B2%BB?q=%E7%B7%A0%E3%82%81%E6%97%A5#%E7%AF%80",
        ),
        ("https://例え.jp/a", "https://xn--r8jz45g.jp/a"),
        ('https://example.jp/a b"<>^`{|}\\', "https://example.jp/a%20b%22%3C%3E%5E%60%7B%7C%7D%5C"),
        ("https://example.jp/100%/%E3%81%82", "https://example.jp/100%25/%E3%81%82"),
        ("http://[::1]:8000/a", "http://[::1]:8000/a"),
        ("https://user:secret@ÀB.example.jp:8443/a", "https://xn--b-rfa.example.jp:8443/a"),
        ("https://example.jp/" + "a" * 981, "https://example.jp/" + "a" * 981),
    ],
)
def test_an_address_is_written_as_line_takes_it(address: str, opens: str) -> None:
    assert uris(made(cited("規則", address))) == [opens]


@pytest.mark.parametrize(
    "address",
    [
        "https://example.jp/" + "a" * 982,
        "https://example.jp/" + "あ" * 200,
        "https://",
        "https:///a",
        "https://exa mple.jp/",
        "https://a..b/",
        "https://[::1/",
        "https://example.jp:99999/",
        "https://" + "a" * 64 + ".jp/",
        "http://\ud800.jp/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "notes/a.md",
    ],
)
def test_a_source_whose_address_line_would_refuse_is_named_without_it(address: str) -> None:
    below = made(cited("規則", address))

    assert uris(below) == []
    assert labels(below) == ["規則"]


def test_the_largest_card_is_within_what_line_takes() -> None:
    many = [Citation(n, "𠮷" * 200, f"https://example.jp/{n}/" + "a" * 970, "𠮷" * 200, "") for n in range(20)]

    below = made(*many, text="".join(f"[{n}]" for n in range(20)), may_train=True)

    assert len(uris(below)) == MAX_SOURCES
    assert len(below["altText"]) <= MAX_ALT_CHARS
    assert 20_000 < len(json.dumps(below["contents"])) < line_flex.MAX_BUBBLE_BYTES


ANY = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=120)


@given(ANY, ANY.map(lambda tail: f"https://{tail}"), ANY, ANY)
def test_whatever_a_document_is_called_line_takes_the_card(title: str, uri: str, heading: str, text: str) -> None:
    below = made(Citation(1, title, uri, heading, ""), text=text)

    assert len(labels(below)) == 1
