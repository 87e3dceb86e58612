"""Politeness: the end of a Japanese sentence from plain form to です・ます, where its letters alone make that safe.

There is no morphological analyser here, so each rule is one that spelling decides: a kanji and う is always a verb of
one kind, 書かない can only become 書きません. What spelling leaves open (読んだ, 行った, 入る) stays as it was written:
a plain sentence is better than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_KANJI = r"\u3400-\u9fff々"
_NOUN = rf"[{_KANJI}ァ-ヶー0-9０-９A-Za-zＡ-Ｚａ-ｚ%％）)」』]"
_NOUN_LIKE = r"まで|から|よう|そう|だけ|ほど|など|こと|もの|ところ|ため|はず|ばかり|とおり|の"
_GODAN_RU = "送取戻残作守乗知切要減至係帰限売配贈渡測図計割通回移登頼握滞貼"
_ICHIDAN = "見着得出寝経似来"
_I_OF_A = {"わ": "い", "か": "き", "さ": "し", "た": "ち", "な": "に", "ば": "び", "ま": "み", "ら": "り"}

_POLITE = re.compile(
    r"(?:です|ます|(?:ま|で)した|ません|ませ|(?:ま|で)しょう|ください|下さい|なさい)(?:わ|の)?(?:か|ね|よ|よね|な)?$"
)

_Rule = tuple[str, str | Callable[[re.Match[str]], str]]
_RULES: tuple[_Rule, ...] = (
    # the copula; after ん and い it may be a verb's past (読んだ) or its result (積んである)
    (r"(?:では|じゃ)ない", "ではありません"),
    (r"(?<![んい])である", "です"),
    (r"(?<![んい])であった", "でした"),
    (rf"(?<={_NOUN})(?<![未甚])だ", "です"),
    (rf"(?<={_NOUN})だった", "でした"),
    (rf"({_NOUN_LIKE})だ", r"\1です"),
    (rf"({_NOUN_LIKE})だった", r"\1でした"),
    # irregular verbs, and the auxiliaries that are written in kana
    (r"(?<![こさゆ])する", "します"),
    (r"(?<![あの])した", "しました"),
    (r"しない", "しません"),
    (r"できる", "できます"),
    (r"できた", "できました"),
    (r"できない", "できません"),
    (r"ある", "あります"),
    (r"あった", "ありました"),
    (rf"(?<=[てでがに{_KANJI}])いる", "います"),
    (r"(?<=[てで])いた", "いました"),
    (r"(?<=[てでが])いない", "いません"),
    (r"なる", "なります"),
    (r"(?<!行)なった", "なりました"),
    (r"(?<=[てで])(おく|いく)", lambda verb: verb[1][0] + "きます"),
    (r"(?<=[てで])くる", "きます"),
    (r"(?<=[てで])みる", "みます"),
    (r"(もら|しま|ちが|つか)う", r"\1います"),
    (r"いただく", "いただきます"),
    (r"([れやじきとま]め|[つかわづ]け|すぎ|れ|(?<![あふ])せ)る", r"\1ます"),
    (r"された", "されました"),
    # verbs with kanji, by the letter after it
    (rf"(?<=[{_KANJI}])う", "います"),
    (r"(?<=[書除置働行開聞頂続届引付描築招])く", "きます"),
    (r"(?<=[急防継注])ぐ", "ぎます"),
    (rf"(?<=[{_KANJI}])す", "します"),
    (rf"(?<=[{_KANJI}])む", "みます"),
    (rf"(?<=[{_KANJI}])ぶ", "びます"),
    (r"(?<=[打立持待勝保断育])つ", "ちます"),
    (rf"(?<=[{_GODAN_RU}])る", "ります"),
    (rf"(?<=[{_ICHIDAN}])る", "ます"),
    (rf"(?<=[{_KANJI}])(?<![混交])([えけげせぜてでねべめれいきぎじちびみり])る", r"\1ます"),
    # denials; 情けない and 違いない are no verbs
    (rf"(?<=[{_KANJI}])([わかさたなばまら])ない", lambda verb: _I_OF_A[verb[1]] + "ません"),
    (r"(?<=[急防継注])がない", "ぎません"),  # 必要がない has the same letters
    (rf"(?<=[{_KANJI}])(?<!情)([えけげせぜてでねべめれ])ない", r"\1ません"),
    (r"ならない", "なりません"),
    (r"([れせ])ない", r"\1ません"),
    (r"(?<=[がはもく])ない", "ありません"),
    # adjectives
    (r"(?<=[高安早速長短良悪低近遠多古広狭強弱重軽深浅])い", "いです"),
    (r"([少危]ない|しい|いい|よい|[ぁ-ん]たい)", r"\1です"),
)
_FIGURE = re.compile(
    r"[\u3400-\u9fff]{0,4}(?:[0-9０-９]+(?:[.,．，:：][0-9０-９]+)*(?:[\u3400-\u9fff]{1,3}|[かヶカヵ]月分?|[%％])){1,4}(?:まで|から)?"
)
"""An answer that is one figure (毎月25日, 6,000円, 10時30分まで)."""
_LONGEST_FIGURE = 30
_ENDS = tuple((re.compile(f"(?:{plain})$"), polite) for plain, polite in _RULES)
_LONGEST_END = 12
"""No rule looks at more letters than these."""


def is_polite(body: str) -> bool:
    """Whether a sentence (without its full stop) ends in です, ます or a form of theirs."""
    return bool(_POLITE.search(body[-_LONGEST_END:]))


def polite(body: str) -> str:
    """The sentence (without its full stop) in です・ます; as it was where it is so already or no rule is sure."""
    start, end = body[:-_LONGEST_END], body[-_LONGEST_END:]
    if is_polite(end):
        return body
    if len(body) <= _LONGEST_FIGURE and _FIGURE.fullmatch(body.strip()):
        return f"{body}です"
    for plain, form in _ENDS:
        if plain.search(end):
            return start + plain.sub(form, end)
    return body
