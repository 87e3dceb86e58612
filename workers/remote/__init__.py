"""A language model on another machine, behind an OpenAI-compatible URL (vLLM, llama-server, Ollama)."""

from workers.remote.generator import RemoteGenerator

__all__ = ["RemoteGenerator"]
