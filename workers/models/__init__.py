"""Models: fetch one by name, verify it, say what memory it takes."""

from workers.models.resolving import resolve

__all__ = ["resolve"]
