"""Users' own files: tables of labels, pairs, documents."""
