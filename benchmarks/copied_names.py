"""How many names a trained translator copies: those of its corpus, and names it has never seen.

    python benchmarks/copied_names.py --run runs/tatoeba --data-dir corpora

Takes the validation pairs that have one name on both sides, translates them as they are and with
another name in its place, and counts the translations that hold the name. The other names are those
below that no training pair has, each as often as any other. Prints a table and writes
`copied_names.json`. The test split is never read.
"""

import argparse
import dataclasses
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# First names, surnames and places, written alike in most languages of Latin script.
NAMES = (
    *("Adaeze", "Agnieszka", "Aiko", "Amara", "Anneke", "Bartosz", "Birgit", "Chidi", "Dagmar"),
    *("Eszter", "Farid", "Fatima", "Giulia", "Hamza", "Hiroshi", "Ingrid", "Jorge", "Katarzyna"),
    *("Kenji", "Lakshmi", "Leila", "Mateusz", "Nadia", "Oksana", "Priya", "Rafael", "Siobhan"),
    *("Thabo", "Wanjiru", "Yusuf", "Zoltan", "Abernathy", "Castellanos", "Ferreira", "Haraldsen"),
    *("Kowalczyk", "Lindqvist", "Moretti", "Novak", "Okonkwo", "Papadakis", "Schmidt", "Takahashi"),
    *("Bergen", "Bratislava", "Cusco", "Dakar", "Gdansk", "Izmir", "Jakarta", "Kigali"),
    *("Ljubljana", "Maputo", "Nairobi", "Oslo", "Quito", "Reykjavik", "Tallinn", "Ulm"),
    *("Windhoek", "Zagreb"),
)


def figures(options: argparse.Namespace) -> list[dict]:
    """Returns a row for the names of the corpus, and one for those that are new."""
    from apps.serving.answers import answer_by_length
    from apps.translation import APPLICATION
    from data.examples.made_up_names import exchange_words, find_names
    from data.examples.parallel import Pair
    from models.evaluation.generated_texts import main_scores

    task = APPLICATION.trained(options.run)
    config = dataclasses.replace(task.config, data_dir=options.data_dir or task.config.data_dir)
    corpus = APPLICATION.read_data(config)
    known = {word for pair in corpus.split("train") for side in pair for word in words_of(side)}
    new = [name for name in NAMES if name not in known]
    found = [(pair, find_names(pair)) for pair in corpus.split("validation")]
    old_pairs = [(pair, names[0]) for pair, names in found if len(names) == 1]
    if not old_pairs:
        raise SystemExit("no validation pair has one name on both sides. Take another corpus")
    old_pairs = old_pairs[: options.rows or None]
    new_pairs = []
    for row, (pair, old) in enumerate(old_pairs):
        name = new[row % len(new)]
        new_pairs.append((Pair(*(exchange_words(side, {old: name}) for side in pair)), name))
    rows, serve = [], task.serving().serve
    for kind, pairs in (("in the training pairs", old_pairs), ("new", new_pairs)):
        answers = answer_by_length(task, serve, [pair.source for pair, _ in pairs])
        written = [answer["translation"] for answer in answers]
        scores = main_scores(config.metrics, written, [pair.target for pair, _ in pairs])
        held = [name in words_of(text) for text, (_, name) in zip(written, pairs, strict=True)]
        rows.append(
            {
                "names": kind,
                "different": len({name for _, name in pairs}),
                "sentences": len(pairs),
                "copied": sum(held) / len(held),
                "bleu": scores["bleu"],
            }
        )
    return rows


def words_of(text: str) -> set[str]:
    """Returns the different words of a text."""
    from data.examples.made_up_names import find_words

    return set(find_words(text))


def markdown(rows: list[dict]) -> str:
    """Returns the table."""
    lines = ["| names | different ones | sentences | copied | BLEU |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        counts = f"{row['different']:,} | {row['sentences']:,}"
        lines.append(f"| {row['names']} | {counts} | {row['copied']:.1%} | {row['bleu']:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="the run folder of a trained translator")
    parser.add_argument("--data-dir", help="folder with the original files")
    parser.add_argument("--rows", type=int, default=0, help="first sentences to take; 0: all")
    parser.add_argument("--json", default="copied_names.json", help="where the figures go")
    options = parser.parse_args()
    rows = figures(options)
    Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print(markdown(rows))


if __name__ == "__main__":
    main()
