"""What the app asks of a workspace, and what stops working without it; docs/slack-manifest.yaml asks for the same."""

from __future__ import annotations

from typing import Final

SCOPES: Final[dict[str, str]] = {
    "app_mentions:read": "mentions in channels are not heard",
    "im:history": "direct messages are not heard",
    "channels:history": "in public channels: threads are not followed, edits and deletions are not noticed",
    "groups:history": "in private channels: threads are not followed, edits and deletions are not noticed",
    "mpim:history": "in group direct messages: threads are not followed, edits and deletions are not noticed",
    "chat:write": "nothing can be answered",
    "commands": "the slash command /madoguchi and the message shortcut are not there",
    "users:read": "full members are taken for guests, who see public documents only; languages are not known",
    "files:read": "files that somebody attaches cannot be read",
    "assistant:write": "no questions are suggested to who opens a conversation",
    "channels:read": "what was said in a public channel is not erased when the bot leaves it; hand-off may be refused",
    "groups:read": "what was said in a private channel is not erased when the bot leaves it; hand-off may be refused",
}
"""By the bot token's scope what stops working without it."""

EVENTS: Final[dict[str, str]] = {
    "app_mention": "mentions in channels",
    "message.im": "direct messages",
    "message.channels": "threads, edits and deletions in public channels",
    "message.groups": "threads, edits and deletions in private channels",
    "message.mpim": "threads, edits and deletions in group direct messages",
    "app_home_opened": "App Home, and suggested questions",
    "agent_session_stopped": "Slack's own button that ends an answer",
    "app_uninstalled": "erasing everything when the app is uninstalled",
    "tokens_revoked": "erasing everything when the token is revoked",
    "channel_left": "erasing what was said in a public channel that the bot leaves",
    "group_left": "erasing what was said in a private channel that the bot leaves",
    "channel_deleted": "erasing what was said in a public channel that is deleted",
    "group_deleted": "erasing what was said in a private channel that is deleted",
    "file_deleted": "erasing what was read of a file that somebody deletes",
}
"""By the event that the app subscribes to what it is for."""

EXPECTED: Final = ("app_mention", "message.im", "message.channels", "app_home_opened", "interaction", "command")
"""What every workspace sends sooner or later, so that its absence says something."""
