"""Questions that the documents did not answer: kept, sorted, answered once, and told to who asked."""
