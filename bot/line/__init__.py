"""LINE: events to messages (pure), the webhook, the sender."""
