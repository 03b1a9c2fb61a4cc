"""Users' own tagged sentences: columns, spans, standoff annotations."""
