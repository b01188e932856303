"""The figures of the pages of products."""
