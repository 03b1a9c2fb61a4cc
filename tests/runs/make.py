"""Trains the runs of this folder that are not there yet, and records their answers.

    PYTHONPATH=. python tests/runs/make.py

A run is packed as the code of its day wrote it, without pictures and logs. None is made anew: every
later version of the suite has to read it. Whoever changes what a run holds adds a line to `RUNS`,
and with it a run of the new form.
"""

import importlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from test_former_runs import HERE, evaluate, predict

TINY = "--epochs 2 --units 4 --embedding-dim 4"
CLASSIFIER = f"{TINY} --max-tokens 60 --max-word-length 6 --batch-size 8 --max-length 30"
LANGUAGE = f"{TINY} --batch-size 2 --sequence-length 12 --sample-length 0 --vocabulary-size 60"
LANGUAGE += " --learning-rate 0.02"
TRANSLATOR = f"{TINY} --vocabulary-size 60 --batch-size 64 --max-length 12"

# Application, options of `train`, and those of each `predict` whose answers are recorded.
RUNS = {
    "hate_speech": (
        "hate_speech",
        f"--dataset data/hate_speech.csv {CLASSIFIER} --linear --thresholds f1"
        " --min-precision offensive_language=0.5 --no-characters",
        [""],
    ),
    "sentiment_ensemble": (
        "sentiment",
        f"--dataset data/sentiment.csv {CLASSIFIER} --no-linear --seeds 2 --ensemble"
        " --cell layer_norm_gru --pooling mean --no-characters",
        [""],
    ),
    "spam": (
        "spam",
        f"--dataset data/spam.csv {CLASSIFIER} --no-linear --cell peephole_lstm --num-layers 2"
        " --residual --layer-normalization --pooling last mean --no-characters",
        [""],
    ),
    "topics": (
        "hate_speech",
        f"--dataset data/topics.csv --label-separator | {CLASSIFIER} --no-linear --no-bidirectional"
        " --vectors data/vectors.txt --open-vocabulary 8 --cell coupled_lstm --min-count 1"
        " --no-characters --pooling max",
        [""],
    ),
    "ner": (
        "ner",
        f"--dataset data/ner.conll {TINY} --max-tokens 60 --max-word-length 6 --batch-size 8"
        " --characters convolution --learning-rate 0.03 --epochs 20 --dropout 0.1 --patience 20",
        [""],
    ),
    "ner_softmax": (
        "ner",
        f"--dataset data/spans.jsonl {TINY} --max-tokens 60 --max-word-length 6 --batch-size 8"
        " --head softmax --characters none --cell layer_norm_lstm --refit --learning-rate 0.1",
        [""],
    ),
    "characters": (
        "text_generation",
        f"--dataset data/verse.txt {LANGUAGE} --unit characters --weight-drop 0.1",
        ["--greedy --max-length 20", "--seed 7 --max-length 20"],
    ),
    "subwords": (
        "text_generation",
        f"--dataset data/verse.txt {LANGUAGE} --unit subwords --cell gru --num-layers 2 --tied",
        ["--beam-width 2 --max-length 10", "--seed 7 --max-length 10"],
    ),
    "words": (
        "text_generation",
        f"--dataset data/verse.txt {LANGUAGE} --unit words --candidates 8",
        ["--greedy --max-length 10"],
    ),
    "tagger_tokens": (
        "text_generation",
        f"--dataset data/verse.txt {LANGUAGE} --unit tagger-tokens",
        ["--greedy --max-length 10"],
    ),
    "ner_language": (
        "ner",
        f"--dataset data/ner.conll {TINY} --max-tokens 60 --characters none --batch-size 8"
        " --init-from tagger_tokens --learning-rate 0.05 --epochs 8 --dropout 0.1",
        [""],
    ),
    "conditioned": (
        "text_generation",
        f"--dataset data/classes.csv {LANGUAGE} --unit characters --conditioned --cell gru",
        ["--condition aaaa --greedy --max-length 8", "--condition bbbb --seed 7 --max-length 8"],
    ),
    "translation": (
        "translation",
        f"--dataset data/translation.tsv {TRANSLATOR} --unit subwords --attention general",
        ["--beam-width 1", "--beam-width 3 --n-best 2"],
    ),
    "translation_words": (
        "translation",
        f"--dataset data/translation.tsv {TRANSLATOR} --unit words --attention additive --no-tied"
        " --input-feeding none --encoder-self-attention",
        ["--beam-width 1", "--beam-width 3"],
    ),
    # From here on the option is called --tokenizer, and the file of a vocabulary tokenizer.json.
    "tokenizer": (
        "text_generation",
        f"--dataset data/verse.txt {LANGUAGE} --tokenizer subwords",
        ["--greedy --max-length 10"],
    ),
}
# What `evaluate` is asked beside the data set of the training.
OTHER_DATA = {"spam": ["--dataset data/unseen_spam.csv --split all"]}


def make(name: str, folder: Path) -> None:
    """Trains a run in a folder, records what it answers, and packs it."""
    application, options, asked = RUNS[name]
    module, run = importlib.import_module(f"apps.{application}"), folder / name
    if not run.exists():
        module.main(module.APPLICATION, ["train", *options.split(), "--run", name])
        for path in [*run.rglob("*.png"), *run.rglob("logs"), *run.rglob("gradient_norms.csv")]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.make_archive(HERE / name, "zip", run)
    measured = ["", *OTHER_DATA.get(name, [])]
    record = {
        "application": application,
        "predict": {more: predict(application, run, more, "answers.jsonl") for more in asked},
        "evaluate": {more: evaluate(application, run, more) for more in measured},
    }
    text = json.dumps(record, ensure_ascii=False, indent=1)
    (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Configurations have relative paths alone.
        os.chdir(shutil.copytree(HERE / "data", Path(folder) / "data").parent)
        for archive in HERE.glob("*.zip"):
            shutil.unpack_archive(archive, archive.stem)
        for name in RUNS:
            if not (HERE / f"{name}.json").exists():
                make(name, Path(folder))


if __name__ == "__main__":
    main()
