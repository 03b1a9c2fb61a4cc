"""The task of captioners: from pictures to sentences."""
