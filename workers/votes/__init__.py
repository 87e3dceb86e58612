"""Votes on answers, and what is made of them: golden questions, and examples for training."""
