"""File formats: tables, JSON lines, Parquet, transcripts, translation memories."""
