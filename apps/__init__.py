"""Applications, and what their command lines share."""
