"""Work on several machines, or in several processes of one, by Ray."""
