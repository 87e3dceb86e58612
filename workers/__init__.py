"""The work: Celery tasks, conversations, prompt, generation, delivery."""
