"""What the LINE side says of itself, in the two languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Introduction = Literal["", "late", "rest", "anew", "unsure"]
"""How an answer is introduced: not at all, as late, as the continuation of what was shown, as one that takes the place
of a beginning that was shown, as one that may have arrived before."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language."""

    source: str
    sources: str
    working: str
    wait_for_button: str
    wait_for_push: str
    button: str
    more_by_button: str
    more_by_push: str
    more_button: str
    nothing_more: str
    shown_above: str
    gone: str
    withdrawn: str
    introductions: dict[Introduction, str]


_JA = Phrases(
    source="出典",
    sources="出典",
    working="回答を準備しています。",
    wait_for_button="できあがった回答は、下のボタンか、次のメッセージへの返信でお届けします。",
    wait_for_push="できあがりしだい、お送りします。",
    button="答えを受け取る",
    more_by_button="続きを準備しています。下のボタンでお届けします。",
    more_by_push="続きを準備しています。できあがりしだい、お送りします。",
    more_button="続きを読む",
    nothing_more="以上です。",
    shown_above="その回答は、すでに上に表示しています。",
    gone="その回答は残っていません。もう一度質問してください。",
    withdrawn="回答のもとになった資料が変わったため、その回答はお渡しできません。もう一度質問してください。",
    introductions={
        "": "",
        "late": "お待たせしました。先ほどのご質問への回答です。",
        "rest": "先ほどの回答の続きです。",
        "anew": "先ほどの回答を書き直しました。こちらが全文です。",
        "unsure": "先ほどお届けできなかったかもしれない回答です。",
    },
)
_EN = Phrases(
    source="Source",
    sources="Sources",
    working="I am working on your answer.",
    wait_for_button="You get it with the button below, or with the reply to your next message.",
    wait_for_push="I will send it as soon as it is ready.",
    button="Get the answer",
    more_by_button="I am working on the rest. You get it with the button below.",
    more_by_push="I am working on the rest. I will send it as soon as it is ready.",
    more_button="Read more",
    nothing_more="That was all of it.",
    shown_above="That answer is shown above already.",
    gone="That answer is not here any more. Please ask again.",
    withdrawn="The documents behind this answer have changed, so it does not hold any more. Please ask again.",
    introductions={
        "": "",
        "late": "Thank you for waiting. This is the answer to your earlier question.",
        "rest": "This continues the answer above.",
        "anew": "I have written the answer above anew. This is all of it.",
        "unsure": "This answer may not have reached you before.",
    },
)


def phrases(language: str) -> Phrases:
    """The phrases of `ja` or `en`; Japanese for any other."""
    return _EN if language == "en" else _JA
