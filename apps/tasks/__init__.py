"""The kinds of task, and what they share."""
