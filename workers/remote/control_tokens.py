"""Names of control tokens in people's text, written so that they are only text.

A server of chats takes text alone, and most tokenise all of it with the names of control tokens as control tokens:
`<|im_end|>` in a document would end a turn there. In process that cannot happen (workers/engine/template.py); here a
space is put into the name, which people and models still read as what it was.
"""

from __future__ import annotations

import re

_BETWEEN_BARS = r"(?<=[<\[])(?=[|｜])"
"""<|im_start|>, <|eot_id|>, <｜User｜>, [|user|]: Qwen, Llama 3, Phi, Granite, Command, DeepSeek, EXAONE and others."""
_TAGS = (
    r"(?<=<)(?=/?(?:s|unk|pad|bos|eos|sop|eop|mask|cls|sep|(?:start|end)_of_(?:turn|image|audio)|unused\d+|seed:\w+"
    r"|think|tool_call|tool_response|tools)>)"
)
"""<s>, <start_of_turn>, <think>: Llama 2, Mistral, Gemma, ChatGLM, Seed, Qwen 3."""
_BRACKETS = (
    r"(?<=\[)(?=/?(?:[A-Z]*INST|SYSTEM_PROMPT|MODEL_SETTINGS|AVAILABLE_TOOLS|[gs]?MASK"
    r"|(?:TOOL|IMG|UNUSED)[A-Z_0-9]*)\])"
)
"""[INST], [TOOL_CALLS], [gMASK]: Mistral, ChatGLM, InternLM."""
_SYSTEM = r"(?<=<)(?=</?SYS>>)"
"""<<SYS>>: Llama 2."""

_NAMES = re.compile("|".join((_BETWEEN_BARS, _TAGS, _BRACKETS, _SYSTEM)))


def as_text(text: str) -> str:
    """The text with a space in each name of a control token: `< |im_end|>`; every other text stays as it is."""
    return _NAMES.sub(" ", text)
