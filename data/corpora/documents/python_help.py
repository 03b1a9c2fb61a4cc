"""The help texts of the language reference that come with every Python: a corpus at no cost."""

from pydoc_data.topics import topics

from data.examples.documents import DocumentCorpus, Documents, split_documents

# A text of a few words teaches nothing.
_SHORTEST = 200


def read(data_dir: str | None) -> DocumentCorpus:
    """Reads a document for each topic, split by content, 90/10."""
    texts = [topics[name].strip() + "\n" for name in sorted(topics)]
    documents = Documents([text for text in dict.fromkeys(texts) if len(text) >= _SHORTEST])
    splits = split_documents(documents, {"train": 0.9, "validation": 0.1})
    return DocumentCorpus.from_splits("python_help", splits)
