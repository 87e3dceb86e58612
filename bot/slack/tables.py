"""Tables for Slack, whose `markdown` block draws none. Pure."""

from __future__ import annotations

from bot import tables

MAX_CHARS = 12_000
"""What all `markdown` blocks of a message take together (docs.slack.dev, markdown block)."""


def with_lists_for_tables(markdown: str) -> str:
    """The text with every table as a list whose items name its columns; as it was where that would be too long."""
    return tables.with_lists_for_tables(markdown, MAX_CHARS)
