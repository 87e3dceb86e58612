"""The documents: load, split, embed, index, retrieve, reindex. Knows neither the edges nor the work."""
