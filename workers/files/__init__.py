"""Files that people show in a conversation: fetched, read, and kept as passages of that conversation alone."""
