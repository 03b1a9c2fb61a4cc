"""Classification of texts: one label, or several."""
