"""Language models, and the texts they generate."""
