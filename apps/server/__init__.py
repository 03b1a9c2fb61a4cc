"""A server for trained models: protocols, batches, limits, metrics, and a page."""
