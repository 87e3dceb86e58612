"""The workload that engines are timed with: a help desk's conversations, over passages of skewed popularity.

`build` makes it from a question set: PREFIX.corpus.jsonl ({id, text}) and PREFIX.queries.jsonl ({query, relevant}).
The same prefix and seed give the same workload.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.generation import ChatMessage

SYSTEM = (
    "あなたは社内ヘルプデスクのアシスタントです。資料だけを根拠に日本語で簡潔に答え、"
    "根拠にした資料の番号を[1]のように示してください。資料に無いことは「資料に見つかりません」と答えてください。"
    "質問が曖昧なときは、会話の流れから補って答えてください。個人情報や社外秘の内容は繰り返さないでください。"
    "手順を聞かれたら番号付きで短く示し、金額や日付は資料の表記のまま写してください。"
)
LEAD = "資料:\n[1]"
"""What stands before the first passage."""
PASSAGES = 3
TOPICS = 6
LONGEST_PASSAGE_CHARS = 260
FEWEST_QUESTIONS = 3


@dataclass(frozen=True, slots=True)
class Question:
    """A turn of a person: the passages that were found, and what is asked."""

    passages: tuple[str, ...]
    text: str

    @property
    def message(self) -> ChatMessage:
        """The turn as the model reads it; a passage has its blanks with it, so that its tokens are always the same."""
        quoted = tuple(f" {passage}\n" for passage in self.passages)
        listed = "".join(f"[{n}]{passage}" for n, passage in enumerate(quoted, 1))
        return ChatMessage("user", f"資料:\n{listed}\n質問: {self.text}", quoted)


def build(prefix: str, conversations: int = 8, turns: int = 3, seed: int = 7) -> list[list[Question]]:
    """So many conversations of so many questions."""
    corpus = {row["id"]: row["text"] for row in rows(f"{prefix}.corpus.jsonl")}
    asked_of: dict[str, list[str]] = defaultdict(list)
    for query in rows(f"{prefix}.queries.jsonl"):
        asked_of[query["relevant"][0]].append(query["query"])
    fit = [
        d for d, asked in asked_of.items() if len(asked) >= FEWEST_QUESTIONS and len(corpus[d]) < LONGEST_PASSAGE_CHARS
    ]
    chance = random.Random(seed)
    documents = sorted(fit, key=str)
    chance.shuffle(documents)
    pool = documents[: TOPICS * PASSAGES]
    return [[_question(pool, corpus, asked_of, chance) for _ in range(turns)] for _ in range(conversations)]


def _question(
    pool: Sequence[str], corpus: dict[str, str], asked_of: dict[str, list[str]], chance: random.Random
) -> Question:
    """A question about a topic, popular ones more often, with its passage and two that go with it."""
    topic = min(int(chance.expovariate(0.6)), TOPICS - 1)
    beside = [pool[TOPICS + (2 * topic + k) % (len(pool) - TOPICS)] for k in range(PASSAGES - 1)]
    passages = tuple(corpus[document] for document in (pool[topic], *beside))
    return Question(passages, chance.choice(asked_of[pool[topic]]))


def rows(path: str) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    with Path(path).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
