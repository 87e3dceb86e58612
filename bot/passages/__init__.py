"""The page of a cited passage: where it stands in its document, behind a signed link that ends."""
