"""Where the named corpora come from and under which licence, as their sources state it."""

from typing import NamedTuple


class Source(NamedTuple):
    """A public corpus.

    Attributes:
        title: what it is and who made it.
        home: the address of its page.
        licence: as the source states it, an identifier of spdx.org in small letters where there is
            one; empty where the source states none.
    """

    title: str
    home: str
    licence: str = ""


SOURCES = {
    "sample": Source("synthetic texts that ship with the suite", "data/samples", "mit"),
    "aeslc": Source(
        "Annotated Enron Subject Line Corpus (Zhang & Tetreault 2019)",
        "https://github.com/ryanzhumich/AESLC",
        "cc-by-nc-sa-4.0",
    ),
    **dict.fromkeys(
        ("dailydialog", "dailydialog_clean"),
        Source(
            "DailyDialog, conversations about everyday life (Li et al. 2017)",
            "http://yanran.li/dailydialog",
            "cc-by-nc-sa-4.0",
        ),
    ),
    "davidson": Source(
        "hate speech and offensive language on Twitter (Davidson et al. 2017)",
        "https://github.com/t-davidson/hate-speech-and-offensive-language",
        "mit",
    ),
    "sms_spam": Source(
        "SMS Spam Collection (Almeida et al. 2011)",
        "https://archive.ics.uci.edu/dataset/228/sms+spam+collection",
        "cc-by-4.0",
    ),
    "sst2": Source(
        "Stanford Sentiment Treebank, two classes (Socher et al. 2013)",
        "https://github.com/clairett/pytorch-sentiment-classification",
    ),
    "sst2_phrases": Source(
        "Stanford Sentiment Treebank, sentences and phrases of two classes (Socher et al. 2013)",
        "https://nlp.stanford.edu/sentiment/",
    ),
    "imdb": Source(
        "Large Movie Review Dataset (Maas et al. 2011)",
        "https://ai.stanford.edu/~amaas/data/sentiment/",
    ),
    "imdb_films": Source(
        "Large Movie Review Dataset (Maas et al. 2011), split by film",
        "https://ai.stanford.edu/~amaas/data/sentiment/",
    ),
    "wnut17": Source(
        "WNUT 2017 emerging entities (Derczynski et al. 2017)",
        "https://github.com/leondz/emerging_entities_17",
        "cc-by-4.0",
    ),
    "btc": Source(
        "Broad Twitter Corpus (Derczynski et al. 2016)",
        "https://github.com/GateNLP/broad_twitter_corpus",
        "cc-by-4.0",
    ),
    "conll2003": Source(
        "CoNLL-2003 shared task (Tjong Kim Sang & De Meulder 2003)",
        "https://www.clips.uantwerpen.be/conll2003/ner/",
    ),
    "multi30k": Source("Multi30k (Elliott et al. 2016)", "https://github.com/multi30k/dataset"),
    "flickr8k": Source(
        "Flickr8k (Hodosh et al. 2013), for research and education only",
        "https://www.kaggle.com/datasets/adityajn105/flickr8k",
    ),
    "tatoeba": Source("sentence pairs of Tatoeba", "https://www.manythings.org/anki/", "cc-by-2.0"),
    "tiny_shakespeare": Source(
        "Tiny Shakespeare, text in the public domain (Karpathy 2015)",
        "https://github.com/karpathy/char-rnn",
    ),
}
