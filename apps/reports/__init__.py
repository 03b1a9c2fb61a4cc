"""What a run tells people: a page on its mistakes, and a model card."""
