"""The kinds of task, each imported when it is asked for: with a task comes TensorFlow."""


def load_classification() -> type:
    """Imports and returns the task of text classifiers."""
    from apps.tasks.classification.task import TextClassification

    return TextClassification


def load_tagging() -> type:
    """Imports and returns the task of taggers."""
    from apps.tasks.tagging.task import TextTagging

    return TextTagging


def load_generation() -> type:
    """Imports and returns the task of language models."""
    from apps.tasks.generation.task import TextGeneration

    return TextGeneration


def load_seq2seq() -> type:
    """Imports and returns the task of models that turn one text into another, such as
    translators."""
    from apps.tasks.seq2seq.task import Seq2Seq

    return Seq2Seq


def load_chat() -> type:
    """Imports and returns the task of chatbots."""
    from apps.tasks.chat.task import Chat

    return Chat


def load_captioning() -> type:
    """Imports and returns the task of models that describe pictures."""
    from apps.tasks.captioning.task import Captioning

    return Captioning
