"""Run folders: what a training writes, how it is read again, published and resumed."""
