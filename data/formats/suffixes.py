"""Names the formats of files with a row for each text, without the readers and writers of them.

The command line shows these names in its help, for which no reader has to be imported.
"""

# In place of a file: standard input, or standard output.
STANDARD_STREAM = "-"
# What `data.formats.writers` writes.
ROW_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
# Transcripts, which are subtitles, too: what `data.formats.subtitles` writes.
SUBTITLE_SUFFIXES = (".srt", ".vtt")
# What `data.formats.entity_writers` writes.
ENTITY_FORMATS = ("jsonl", "conll", "csv", "tsv", "html")
