"""Examples and their splits: labelled texts, tagged sentences, pairs, documents."""
