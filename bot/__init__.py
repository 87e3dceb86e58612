"""The edges: everything that talks to a platform, in and out, and what the operator sees."""
