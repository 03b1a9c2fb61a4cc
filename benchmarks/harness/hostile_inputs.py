"""Small files of every format that a reader takes, and what damages them: for `robustness.py`.

A file follows from a generator of random numbers alone, so that each can be had again.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import random
import tarfile
import zipfile

# What sits where a reader looks twice: quotes, ends of lines, halves of characters, marks of other
# formats, numbers that are too large, invisible and combining characters.
_SIGNS = (
    *(b'"', b"'", b"\n", b"\r", b"\r\n", b"\t", b",", b";", b"|", b"\\", b"\0", b"\x1b]0;x\x07"),
    *(b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xe2\x82", b"\xf0\x9f\x98\x80", b"\xc2\xa0"),
    *("\u2028".encode(), "\u00ad".encode(), "\ufe0f".encode(), "e\u0301".encode() * 40),
    *(b"\x85", b"\xed\xa0\x80", b"&#1114112;", b"&#" + b"9" * 5000 + b";", b"&amp;", b"&lt;"),
    *(b"9" * 5000, b"-1", b"1e999", b"NaN", b"nan", b"null", b"true", b"1.0", b"2" + b"0" * 30),
    *(b"{", b"}", b"[", b"]", b"[" * 2000, b'{"a":' * 300, b"\\ud800", b"\\u0000"),
    *(b"<", b">", b"<v ", b"<v" + b" " * 3000, b"-->", b"00:00:01.000 --> 00:00:02.000", b"WEBVTT"),
    *(b"<seg>", b"</tu>", b"<!--", b"<!DOCTYPE x [", b"<!ENTITY a 'b'>", b"<![CDATA[", b"]]>"),
    *(b"<ph/>", b"<hi>" * 500, b"encoding='x'", b"xml:lang", b"en-US", b"fr_CA", b"#", b"# text"),
    *(b"B-PER", b"I-", b"O", b"S-LOC", b"-DOCSTART-", b"_", b"(PER*", b"a" * 70_000),
    *(b"text", b"label", b"split", b"train", b"test", b"start", b"end", b"spans"),
)
_ENCODINGS = (
    b"utf-7",
    b"hz",
    b"mbcs",
    b"cp037",
    b"big5",
    b"utf-16",
    b"base64",
    b"bz2",
    b"punycode",
)


def damage(generator: random.Random, content: bytes) -> bytes:
    """Changes a file in one to a dozen places."""
    content = bytearray(content)
    for _ in range(generator.choice([1, 1, 1, 2, 4, 12])):
        at = generator.randrange(len(content) + 1)
        end = min(len(content), at + generator.randrange(60))
        change = generator.randrange(8)
        if change == 0 and at < len(content):
            content[at] ^= 1 << generator.randrange(8)
        elif change == 1:
            content[at:end] = b""
        elif change == 2:
            content[at:] = b""
        elif change == 3:
            content[at:at] = content[at:end] * generator.randrange(1, 50)
        elif change == 4:
            content[at:at] = generator.randbytes(generator.randrange(1, 12))
        elif change == 5:
            old, new = generator.choice([b"utf-8", b"UTF-8"]), generator.choice(_ENCODINGS)
            content = content.replace(old, new)
        else:
            content[at:at] = generator.choice(_SIGNS)
    return bytes(content)


def delimited(generator: random.Random) -> bytes:
    """Returns a table of texts with labels and splits."""
    out = io.StringIO()
    delimiter = generator.choice(",,\t\t;|")
    rows = csv.writer(out, delimiter=delimiter, lineterminator=generator.choice(["\n", "\r\n"]))
    header = generator.choice([["text", "label"], ["text", "label", "split"], ["text", "", ""]])
    rows.writerow(header)
    labels = generator.choice([["a", "b"], ["0", "1.0"], ["a", "b", "c", "1", "nan"]])
    for number in range(generator.randrange(1, 40)):
        label, split = generator.choice(labels), generator.choice(["train", "test", "dev"])
        rows.writerow([f'He said "{number}", and\n left', label, split][: len(header)])
    return out.getvalue().encode()


def json_lines(generator: random.Random) -> bytes:
    """Rows of texts, labels, spans and whatever else JSON has."""
    values = ["a text", "", None, 3, 2**70, 1.5, True, [], {}, ["a"], {"b": [1]}, "\ud800", "1.0"]
    rows = []
    for _ in range(generator.randrange(1, 10)):
        row = {"text": "Anna met Bob in Rome", "label": generator.choice(values)}
        spans = [{"start": generator.randrange(-1, 24), "end": generator.randrange(24)}]
        spans[0] |= {generator.choice(["type", "label"]): generator.choice(["PER", None, 3, ["a"]])}
        row["spans"] = generator.choice([spans, spans * 2, [], None, "x", [[0, 4, "PER"]]])
        row[generator.choice(["split", "text", "answer", "tokens"])] = generator.choice(values)
        rows.append(json.dumps(row))
    return "\n".join(rows).encode()


def plain(generator: random.Random) -> bytes:
    """Lines of text."""
    words = ["to", "be", "été", "日本語", "\u200f", "👩\u200d🚀", "or", "not"]
    lines = [" ".join(generator.choices(words, k=6)) for _ in range(9)]
    return "\n".join(lines).encode()


def subtitles(generator: random.Random) -> bytes:
    """Cues as SubRip and WebVTT have them."""
    cues = [
        f"{n}\n00:00:0{n}{generator.choice(',.')}000 --> 00:00:0{n},900 align:start\n"
        f"<v Ann>Well &amp; <i>good</i>\n{n}\n"
        for n in range(1, 6)
    ]
    return (generator.choice(["WEBVTT\n\nNOTE x\n\n", ""]) + "\n".join(cues)).encode()


def tagged(generator: random.Random) -> bytes:
    """Columns of tokens and tags in one of several schemes."""
    tags = generator.choice([["O", "B-PER", "I-PER"], ["O", "S-LOC", "B-LOC", "E-LOC"], ["B", "O"]])
    lines = []
    for number in range(30):
        lines.append(f"word{number} NN {generator.choice(tags)}" if number % 7 else "")
    return "\n".join(lines).encode()


def memory(generator: random.Random) -> bytes:
    """Returns a translation memory."""
    units = "".join(
        f'<tu><tuv xml:lang="en-GB"><seg>Line {n}.<ph x="1">&lt;</ph>Press &amp; <bpt i="1">x</bpt>'
        f'hold</seg></tuv><tuv xml:lang="fr"><seg>Ligne {n} é</seg></tuv></tu>\n'
        for n in range(generator.randrange(1, 8))
    )
    space = generator.choice(["", ' xmlns="http://www.lisa.org/tmx14"'])
    head = '<?xml version="1.0" encoding="utf-8"?>'
    return f'{head}<tmx version="1.4"{space}><header/><body>{units}</body></tmx>'.encode()


def pairs(generator: random.Random) -> bytes:
    """Returns a table of sentences and translations, with and without a header."""
    delimiter = generator.choice("\t,")
    header = generator.choice(["en{0}fr\n", "en-GB{0}fr-FR\n", "id{0}English{0}French\n", ""])
    lines = [f"Yes, sir {n}{{0}}Oui {n}\n" for n in range(9)]
    return (header + "".join(lines)).format(delimiter).encode()


def vectors(generator: random.Random) -> bytes:
    """Words and numbers."""
    head = generator.choice([b"", b"5 3\n"])
    return head + b"".join(b"w%d 0.1 -2e-3 %d\n" % (n, n) for n in range(5))


def terms(generator: random.Random) -> bytes:
    """Identity terms."""
    rows = "".join(f"people,g{n},name,Term {n}\npeople,g{n},place,Term {n}\n" for n in range(4))
    return ("kind,group,form,term\n" + rows).encode()


def options(generator: random.Random) -> bytes:
    """Returns a file of options, or a run's description."""
    wild = [3, -1, 0.5, None, True, [], ["max"], {}, 2**70, 1e308, "gru", ""]
    right = {"dataset": "sample", "units": 8, "cell": "lstm", "pooling": ["max"], "dropout": 0.5}
    config = {
        name: generator.choice(wild) if generator.random() < 0.2 else value
        for name, value in right.items()
    }
    whole = {"format": 1, "application": "spam", "checksum": "0", "config": config}
    return json.dumps(generator.choice([config, whole])).encode()


def history(generator: random.Random) -> bytes:
    """Returns a training's history."""
    rows = "".join(f"{n},0.{n},{generator.choice(['0.5', '', 'x', 'nan'])}\n" for n in range(4))
    return ("epoch,loss,val_loss\n" + rows).encode()


def tokenizer(generator: random.Random) -> bytes:
    """Returns the file of a tokenizer's vocabulary."""
    record = {"kind": generator.choice(["words", "subwords", "subwords", "characters", "x"])}
    record |= {"tokens": ["a", "b", "ab", generator.choice(["c", "c", "c", 3, None, ""])]}
    merges = [[["a", "b"]], [["a", "b"]], [], [["a"]], None, [["a", "z"]]]
    record |= {"merges": generator.choice(merges)}
    return json.dumps(record).encode()


def vocabulary(generator: random.Random) -> bytes:
    """Returns a vocabulary."""
    words = generator.sample(["to", "be", "été", "or", "not", "a b"], 5)
    return "\n".join(["<start>", *words, ""]).encode()


def decision(generator: random.Random) -> bytes:
    """Thresholds and a temperature."""
    number = generator.choice([0.5, 0, -1, "x", None, 2**2000, float("nan"), [1]])
    return json.dumps({"temperature": 1.0, "thresholds": {"a": number, "b": 0.5}}).encode()


def parquet(generator: random.Random) -> bytes:
    """Returns a table with columns of many types."""
    import pyarrow
    import pyarrow.parquet

    rows = generator.randrange(1, 20)
    columns = {
        "text": pyarrow.array(["a text"] * rows),
        "label": pyarrow.array(generator.choice([[1.0] * rows, ["a"] * rows, [None] * rows])),
        "list": pyarrow.array([[]] * rows, pyarrow.list_(pyarrow.string())),
        "date": pyarrow.array([generator.choice([0, 10**15, -(10**15)])] * rows).cast(
            pyarrow.timestamp("s")
        ),
    }
    out = io.BytesIO()
    compression = generator.choice(["none", "snappy", "zstd", "gzip"])
    pyarrow.parquet.write_table(pyarrow.table(columns), out, compression=compression)
    return out.getvalue()


def packed(generator: random.Random, suffix: str, content: bytes, name: str) -> bytes:
    """Returns the content as an archive, or compressed.

    Args:
        suffix: `.gz`, `.xz`, `.zip`, `.tar`, `.tar.gz`, `.tar.xz` or `.tar.bz2`.
        name: of the member, where there are members.
    """
    out = io.BytesIO()
    if suffix == ".gz":
        return gzip.compress(content, 1)
    if suffix == ".xz":
        return lzma.compress(content, preset=0)
    if suffix == ".zip":
        method = generator.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
        with zipfile.ZipFile(out, "w", method) as file:
            file.writestr(name, content)
        return out.getvalue()
    with tarfile.open(fileobj=out, mode="w") as file:
        for number in range(3):
            member = tarfile.TarInfo(f"aclImdb/train/pos/{number}_{'x' * 60 * number}.txt")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    compress = {".tar": bytes, ".tar.gz": gzip.compress, ".tar.xz": lzma.compress}
    return {**compress, ".tar.bz2": bz2.compress}[suffix](out.getvalue())
