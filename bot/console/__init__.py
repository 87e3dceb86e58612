"""The console: a web chat that needs no account anywhere; a third platform beside Slack and LINE."""
