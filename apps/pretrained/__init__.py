"""The trained models that ship with the suite, a run folder each, and how commands find them."""
