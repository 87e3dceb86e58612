"""Tests of files that people show in a conversation."""
