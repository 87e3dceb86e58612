"""Websites as sources: fetched politely, kept on disk, and read like files."""
