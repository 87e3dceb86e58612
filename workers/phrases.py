"""What the desk says of its own, in Japanese and English."""

from __future__ import annotations

from typing import Final

_PHRASES: Final[dict[str, dict[str, str]]] = {
    "ja": {
        "not_found": "資料には見つかりませんでした。",
        "nearest": "近い資料: {titles}",
        "contact": "お問い合わせ先: {contact}",
        "general": "（資料にはない、一般的な答えです）",
        "quoted": "資料にはこう書かれています。\n「{words}」",
        "stopped": "（途中で止めました）",
        "nothing_to_stop": "いま書いている答えはありません。",
        "reset": "会話を新しく始めます。これまでの話は引き継ぎません。",
        "forgotten": "あなたとのこれまでの会話を消しました。",
        "apology": "申し訳ありません。この質問にはうまく答えられませんでした。言い方を変えて、もう一度お試しください。",
        "over_limit": "続けてたくさん届いたため、お答えしていない質問があります。"
        "1分ほど待ってから、必要な質問をもう一度送ってください。",
        "full": "質問がたまっていて、新しい質問を受け取れませんでした。しばらくしてから、もう一度送ってください。",
        "too_slow": "申し訳ありません。混み合っていて、時間内に答えられませんでした。時間をおいてお試しください。",
        "loading": "モデルを読み込んでいます。準備ができしだいお答えします。",
        "no_index": "資料を読み込んでいます。終わりしだいお答えします。",
        "queued": "順番をお待ちください。前に{place}件、あと約{seconds}秒です。",
        "writing": "資料を読んでいます…",
        "paired": "登録しました。どうぞ質問してください。",
        "not_admitted": "このアカウントは招待された方だけが使えます。管理者から受け取った招待コードを送ってください。",
        "help": "資料について質問してください。答えには出典をつけます。\n"
        "「リセット」で会話を新しく始め、「ストップ」で答えを止め、「忘れて」で会話を消します。",
        "hello": "こんにちは。資料について、何でもお尋ねください。",
        "thanks": "どういたしまして。ほかにもあれば、お尋ねください。",
    },
    "en": {
        "not_found": "I could not find this in the documents.",
        "nearest": "Closest documents: {titles}",
        "contact": "Please ask: {contact}",
        "general": "(A general answer, not from the documents.)",
        "quoted": "The document says:\n“{words}”",
        "stopped": "(Stopped.)",
        "nothing_to_stop": "I am not writing an answer right now.",
        "reset": "Starting anew. Nothing said so far is carried over.",
        "forgotten": "I have erased our conversations so far.",
        "apology": "I am sorry, I could not answer this. Please try again in other words.",
        "over_limit": "That was a lot at once, so I have left some of your questions unanswered. "
        "Please wait about a minute, then send again what you still need.",
        "full": "Too many questions are waiting here, so I could not take in a new one. "
        "Please wait a while, then send it again.",
        "too_slow": "I am sorry, I was too busy to answer in time. Please try again in a while.",
        "loading": "The model is loading. I will answer as soon as it is ready.",
        "no_index": "The documents are being read. I will answer when that is done.",
        "queued": "Please wait: {place} before you, about {seconds} seconds.",
        "writing": "Reading the documents…",
        "paired": "You are in. Please ask away.",
        "not_admitted": "This account is by invitation only. Please send the code that an administrator gave you.",
        "help": "Ask me about the documents; my answers name their sources.\n"
        "“reset” starts a new conversation, “stop” ends an answer, “forget” erases our conversations.",
        "hello": "Hello. Ask me anything about the documents.",
        "thanks": "You are welcome. Ask me anytime.",
    },
}


def phrase(name: str, language: str, **values: object) -> str:
    """The phrase in `language` (`ja` or `en`) with its values filled in."""
    return _PHRASES[language][name].format(**values)
