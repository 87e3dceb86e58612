"""Slack: events to messages (pure), the Bolt app, the sender."""
