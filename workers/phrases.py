"""What the desk says of its own, in Japanese and English."""

from __future__ import annotations

from typing import Final

_PHRASES: Final[dict[str, dict[str, str]]] = {
    "ja": {
        "not_found": "資料には見つかりませんでした。",
        "nearest": "近い資料: {titles}",
        "contact": "お問い合わせ先: {contact}",
        "general": "（資料にはない、一般的な答えです）",
        "preview": "資料の抜粋です。答えを書いています…\n「{words}」",
        "without_model": "いまモデルが答えを書けないため、資料の該当箇所をそのまま示します。\n「{words}」",
        "quoted": "資料にはこう書かれています。\n「{words}」",
        "quoted_foreign": "資料には英語でこう書かれています。\n「{words}」",
        "evidence": "根拠: 「{words}」",
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
        "not_admin": "この操作は管理者（ADMIN_USERS）だけができます。",
        "admin_help": "管理者のことば:\n"
        "「再インデックス」資料を読み直す（「受け入れる」「空でも」「試すだけ」を後ろにつけられます）\n"
        "「状態」いまの索引と進み具合　「戻す」ひとつ前の索引に戻す\n"
        "「資料一覧」資料ごとの件数　「中止」読み直しをやめる　「未回答」答えられなかった質問",
        "under_way": "ほかの処理が進んでいます。その進み具合をお知らせします。",
        "cancelling": "いまの区切りが終わりしだい中止します。前の索引はそのままです。",
        "nothing_to_cancel": "いま進んでいる読み直しはありません。",
        "run_started": "始めます。「状態」と送ると進み具合をお答えします。",
        "run_waiting": "資料の読み直しを待っています…",
        "run_running": "資料の読み直し: {stage} {done}/{total}",
        "run_speed": "（毎秒{per_s}、あと約{left}）",
        "run_interrupted": "読み直しが途切れました。資料のプロセスが動きしだい、続きから行います。",
        "run_cancelled": "読み直しを中止しました: {reason}",
        "run_failed": "できませんでした。前の索引はそのままです: {reason}",
        "run_changed": "新しい索引 {generation}: 文書{documents}件、チャンク{chunks}件"
        "（追加{added}、削除{removed}、新しく計算{embedded}）",
        "run_unchanged": "変わったところはありません。索引 {generation}: 文書{documents}件、チャンク{chunks}件",
        "run_dry": "試すだけ: 文書{documents}件、チャンク{chunks}件"
        "（追加{added}、削除{removed}、計算{embedded}）。索引はそのままです",
        "run_skipped": "読めなかったもの {what}",
        "run_more": "ほか{count}件",
        "run_golden": "確認の質問: {asked}問中{right_now}問に答えられます",
        "run_worse": "答えられなくなった質問 {what}",
        "run_retired": "文書がなくなった質問 {what}",
        "rolled_back": "索引 {generation} に戻しました。次の読み直しで、また新しくなります。",
        "index_none": "索引がまだないか、資料のプロセスが動いていません。",
        "index_is": "索引 {generation}（{made_at}）: 文書{documents}件、チャンク{chunks}件",
        "index_before": "「戻す」で {before} に戻せます",
        "source": "{where}: 文書{documents}件、チャンク{chunks}件、読めなかったもの{skipped}件",
        "vote_not_counted": "この答えはもう手元にないため、評価を数えられませんでした。",
        "gap_told": "以前のご質問「{asked}」にお答えできるようになりました。\n\n{answer}\n\n出典: FAQ「{title}」",
        "gap": "{number}: {times}回、{people}人、最後は{last}（{who}）",
        "gap_answered": "{number}: {times}回、{people}人、最後は{last}（回答済み、索引とお知らせを待っています）",
        "gap_for_public": "社外の人も質問",
        "gap_for_members": "メンバーだけが質問",
        "gaps_none": "答えられなかった質問はありません。",
        "gaps_more": "ほか{count}件",
        "gaps_unsorted": "まだ分けていない質問{count}件",
        "hello": "こんにちは。資料について、何でもお尋ねください。",
        "thanks": "どういたしまして。ほかにもあれば、お尋ねください。",
    },
    "en": {
        "not_found": "I could not find this in the documents.",
        "nearest": "Closest documents: {titles}",
        "contact": "Please ask: {contact}",
        "general": "(A general answer, not from the documents.)",
        "preview": "From the documents; the answer is being written…\n“{words}”",
        "without_model": "The model cannot write at the moment; this is what the documents say.\n“{words}”",
        "quoted": "The document says:\n“{words}”",
        "quoted_foreign": "The document says, in Japanese:\n“{words}”",
        "evidence": "From the document: “{words}”",
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
        "not_admin": "Only administrators (ADMIN_USERS) may do this.",
        "admin_help": "For administrators:\n"
        "“reindex” reads the documents again (after it: “accept”, “allow-empty”, “dry-run”)\n"
        "“status” the index and the progress; “rollback” the index before; “sources” what each has; “cancel reindex”\n"
        "“gaps” what was asked and not answered",
        "under_way": "Something is under way already; this is how far it is.",
        "cancelling": "It ends after the batch under way. The old index stays.",
        "nothing_to_cancel": "No reindexing is under way.",
        "run_started": "It begins. Say “status” to hear how far it is.",
        "run_waiting": "Reindexing: waiting…",
        "run_running": "Reindexing: {stage} {done}/{total}",
        "run_speed": " ({per_s}/s, about {left} left)",
        "run_interrupted": "Reindexing was interrupted; it goes on as soon as the knowledge process is back.",
        "run_cancelled": "Reindexing was broken off: {reason}",
        "run_failed": "It did not work; the old index stays: {reason}",
        "run_changed": "new generation {generation}: {documents} documents, {chunks} chunks, {embedded} newly embedded"
        " ({added} added, {removed} removed)",
        "run_unchanged": "nothing changed: generation {generation}: {documents} documents, {chunks} chunks, "
        "{embedded} newly embedded",
        "run_dry": "dry run: {documents} documents, {chunks} chunks, {embedded} to be embedded"
        " ({added} added, {removed} removed); the index is as it was",
        "run_skipped": "skipped {what}",
        "run_more": "and {count} more",
        "run_golden": "golden questions: {right_now} of {asked} answered",
        "run_worse": "not answered any more: {what}",
        "run_retired": "retired, its document is gone: {what}",
        "rolled_back": "generation {generation} answers again; the next reindexing makes a new one",
        "index_none": "There is no index yet, or the knowledge process does not run.",
        "index_is": "generation {generation} ({made_at}): {documents} documents, {chunks} chunks",
        "index_before": "a rollback leads to {before}",
        "source": "{where}: {documents} documents, {chunks} chunks, {skipped} skipped",
        "vote_not_counted": "I do not have this answer any more, so your vote was not counted.",
        "gap_told": "You asked “{asked}”. Now I know:\n\n{answer}\n\nSource: FAQ “{title}”",
        "gap": "{number}: asked {times} times by {people} people, last {last} ({who})",
        "gap_answered": "{number}: asked {times} times by {people} people, last {last} "
        "(answered; waits for the index and for who asked to be told)",
        "gap_for_public": "also by people from outside",
        "gap_for_members": "by members only",
        "gaps_none": "There is no question without an answer.",
        "gaps_more": "and {count} more",
        "gaps_unsorted": "{count} questions not sorted yet",
        "hello": "Hello. Ask me anything about the documents.",
        "thanks": "You are welcome. Ask me anytime.",
    },
}


def phrase(name: str, language: str, **values: object) -> str:
    """The phrase in `language` (`ja` or `en`) with its values filled in."""
    return _PHRASES[language][name].format(**values)
