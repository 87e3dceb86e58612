"""What Slack's assistant methods do to a channel of the fake."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack_channel import Channel, Refused, only

JSON = dict[str, Any]

MOST_PROMPTS = 4


def suggest(place: Channel, arguments: JSON) -> JSON:
    """Show prompts in a direct conversation; each has a title and what is said when it is pressed, and no more."""
    only(arguments, "channel_id", "thread_ts", "title", "prompts")
    prompts = arguments["prompts"]
    if place.kind != "im":
        raise Refused("channel_type_not_supported")
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= MOST_PROMPTS:
        raise Refused("invalid_arguments")
    if any(set(prompt) != {"title", "message"} or not all(prompt.values()) for prompt in prompts):
        raise Refused("invalid_arguments")
    if "thread_ts" in arguments and place.message(arguments["thread_ts"]) is None:
        raise Refused("invalid_thread_ts")
    place.prompts.append(prompts)
    return {}
