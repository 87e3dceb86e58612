"""Whatever a document or a model says: no foreign link, no mention, no markup, no control token leaves."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sanitise import REMOVED, sanitise, urls

SOURCE = "規程は https://wiki.example.jp/keihi?a=1 にあります。"
PARTS = (
    *("<!channel>", "<!here|x>", "<@U1>", "<#C1|general>", "<https://evil.example|ok>", "@everyone", "＠here", "@all"),
    *("<|im_start|>", "<|im_end|>", "<start_of_turn>", "[INST]", "[/INST]", "<s>", "</s>", "<", ">", "|", "!", "@"),
    *("https://evil.example/x", "www.evil.example", "evil.com", "javascript:alert(1)", "data:text/html,x"),
    *("[押す](javascript:alert(1))", "[a](https://evil.example)", "![x](data:image/png;base64,AA)", "](", "[", "("),
    *("channel", "every", "one", "here", "im_", "start", "java", "script:", "締め日は25日です。", " ", "\n", "\u200b"),
)
HOSTILE = st.lists(st.sampled_from(PARTS), max_size=12).map("".join)


@pytest.mark.parametrize(
    "text",
    [
        "締め日は**毎月25日**です。",
        "1. 申請する\n2. 承認を待つ",
        "a < b かつ c > d、x | y",
        "`if a < b: print('x')`",
        "メールは team@窓口 まで",
        "5/10 は 10.5 km、v1.2.3",
        "e.g. this, i.e. that. Done.",
        "metadata:name と `data: 1`",
        "👨‍👩‍👧 と ｶﾞ と か\u3099",
        f"[規程](https://wiki.example.jp/keihi?a=1) と {SOURCE}",
    ],
)
def test_an_honest_answer_stays_as_it_is(text: str) -> None:
    assert sanitise(text, [SOURCE]) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<!channel> 見て", "見て"),
        ("これは <!subteam^S1|@team> <@U1> <#C1|x> です", "これは です"),
        ("@everyone @Channel ＠here @all", "everyone Channel here all"),
        ("[押す](javascript:alert(1))", "押す"),
        ("[押す](https://evil.example/x)", "押す"),
        ("![図](https://evil.example/x.png)", "図"),
        ('[押す](https://evil.example "題")', "押す"),
        ("https://evil.example/x を見て", f"{REMOVED} を見て"),
        ("見て（www.evil.example）。", f"見て（{REMOVED}）。"),
        ("evil.com/x と EVIL.CO.JP", f"{REMOVED} と {REMOVED}"),
        ("slack://open と mailto:a@b.example と data:text/html,x", f"{REMOVED} と {REMOVED} と {REMOVED}"),
        ("<https://evil.example|窓口>", ""),
        ("<|im_start|>system [INST]x[/INST]</s>", "system x"),
        ("締め\u200b日\u202eは", "締め日は"),
        ("資料はevil.comを見て", f"資料は{REMOVED}を見て"),
        ("ｈｔｔｐｓ：／／evil.example/x", REMOVED),
        ("httрs://evil.example/a と еvil.com", f"{REMOVED} と {REMOVED}"),
        ("xn--80ak6aa92e.com と evil.xn--p1ai", f"{REMOVED} と {REMOVED}"),
        ("10.0.0.1/x?d=1 と 0x7f000001/steal と evil.example/?q=1", f"{REMOVED} と {REMOVED} と {REMOVED}"),
        ("a@evil.com まで", f"{REMOVED} まで"),
        ("@everyoneへ ＠ｃｈａｎｎｅｌへ @全員", "everyoneへ ｃｈａｎｎｅｌへ 全員"),
        ("&lt;!channel&gt; <!subteam^S1>", ""),
        ('<img src="https://evil.example/x"> 図', "図"),
        ("<<SYS>>x<</SYS>> <｜User｜> <bos> [TOOL_CALLS]", "x"),
        ("締\U000e0041\U000e0042め日", "締め日"),
    ],
)
def test_what_may_not_leave_goes(text: str, left: str) -> None:
    assert " ".join(sanitise(text, [SOURCE]).split()) == left


@pytest.mark.parametrize(
    "text",
    [
        "https://wiki.example.jp/keihi?a=2",
        "https://wiki.example.jp.evil.example/keihi?a=1",
        "https://evil.example/https://wiki.example.jp/keihi?a=1",
        "http://wiki.example.jp/keihi?a=1",
    ],
)
def test_an_address_that_only_resembles_a_source_goes(text: str) -> None:
    assert "example" not in sanitise(text, [SOURCE])


def test_a_source_s_address_stays_with_the_punctuation_behind_it() -> None:
    assert sanitise("https://wiki.example.jp/keihi?a=1.", [SOURCE]) == "https://wiki.example.jp/keihi?a=1."


@pytest.mark.parametrize(
    "text",
    [
        "<<!x>!channel>",
        "<!<!x>channel>",
        "@<!x>everyone",
        "@\u200beveryone",
        "<|im_<|x|>start|>",
        "[IN[INST]ST]",
        "java<s>script:alert(1)",
        "https:/<!x>/evil.example",
        "[[a](javascript:x)](javascript:y)",
        "<![channel](x)>",
        "@every[one](x)",
        "<|im_[start](x)|>",
    ],
)
def test_nothing_grows_together_from_what_is_left(text: str) -> None:
    left = sanitise(text)

    assert not any(sign in left.lower() for sign in ("<!", "@every", "<|im_start", "[inst]", "javascript:", "://"))


@given(HOSTILE)
def test_what_left_is_clean(text: str) -> None:
    left = sanitise(text)

    assert urls(left) == []
    assert not re.search(r"<[!@#]\w+>|[@＠](?:everyone|here|all|channel)\b|<\|im_start\|>|\[INST\]|<s>", left)


@pytest.mark.parametrize("piece", ["<", "[", "<!", "a.", "<|", "@", "[](", "[a](", "(", "a"])
def test_a_hostile_text_takes_no_time(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    began = time.process_time()

    sanitise(text)

    assert time.process_time() - began < 1
