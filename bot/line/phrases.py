"""What the LINE side says of itself, in the two languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Introduction = Literal["", "late", "rest", "unsure"]
"""How a kept answer is introduced: not at all, as late, as a continuation, as one that may have arrived before."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language."""

    source: str
    wait_for_button: str
    wait_for_push: str
    button: str
    nothing_kept: str
    withdrawn: str
    introductions: dict[Introduction, str]


_JA = Phrases(
    source="出典",
    wait_for_button="回答を準備しています。お待たせして申し訳ありません。できあがった回答は、下のボタンか、次のメッセージへの返信でお届けします。",
    wait_for_push="回答を準備しています。お待たせして申し訳ありません。できあがりしだい、お送りします。",
    button="答えを受け取る",
    nothing_kept="いまお渡しできる回答はありません。準備中の場合は、少し待ってからもう一度お試しください。",
    withdrawn="回答のもとになった資料が変わったため、その回答はお渡しできません。もう一度質問してください。",
    introductions={
        "": "",
        "late": "お待たせしました。先ほどのご質問への回答です。",
        "rest": "先ほどの回答の続きです。",
        "unsure": "先ほどお届けできなかったかもしれない回答です。",
    },
)
_EN = Phrases(
    source="Source",
    wait_for_button="I am still working on your answer. When it is ready, you get it with this button "
    "or with the reply to your next message.",
    wait_for_push="I am still working on your answer. I will send it as soon as it is ready.",
    button="Get the answer",
    nothing_kept="There is no answer to hand over right now. If one is being prepared, please try again in a moment.",
    withdrawn="The documents behind this answer have changed, so it does not hold any more. Please ask again.",
    introductions={
        "": "",
        "late": "Thank you for waiting. This is the answer to your earlier question.",
        "rest": "This continues the answer above.",
        "unsure": "This answer may not have reached you before.",
    },
)


def phrases(language: str) -> Phrases:
    """The phrases of `ja` or `en`; Japanese for any other."""
    return _EN if language == "en" else _JA
