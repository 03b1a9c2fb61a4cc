"""Writes the ONNX form of a trained model: a folder that `models.portable` loads."""

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf

import models.portable
from data.errors import UserError
from data.files.checksum_list import write_checksum_list
from data.registry import CASES, CLASSIFIER_TOKENS, TAGGER_TOKENS
from data.text.characters import FORMAT_CHARACTERS, NEEDLESS_JOINERS
from data.text.pretokenizer import rules_as_table as rules_of_pieces
from data.text.special_tokens import END
from data.text.tokenizer import Tokenizer
from data.text.word_tokenizer import rules_as_table
from data.text_steps import STEPS
from models.decoding.options import DecodingOptions
from models.onnx.language_model import language_model_network, state_names
from models.onnx.networks import (
    check_network,
    classifier_network,
    crf_weights,
    linear_models,
    tagger_network,
)
from models.onnx.quantize import quantize
from models.onnx.translator import decoder_network, encoder_network
from models.portable.decoding.translator import DECODER
from models.portable.folder import CHECKSUMS, FORMAT, NETWORK, SETTINGS
from models.serving.classifier import ServingClassifier
from models.serving.export import ExportableModel
from models.serving.generator import LONGEST_PROMPT, TextGenerator
from models.serving.tagger import ServingTagger
from models.serving.translator import ServingTranslator

ANSWER = "answer.py"
# It stands in the folder of a form, and in the folder of all versions, whose last one it runs.
ANSWER_MODULE = '''"""Answers texts, without TensorFlow: `python answer.py "a text"`, or in Python:

from answer import load
load().answer(["a text"])

It takes numpy, onnxruntime and google-re2.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_VERSIONS = [each for each in _HERE.iterdir() if each.name.isdecimal() and each.is_dir()]
_FOLDER = max(_VERSIONS, key=lambda each: int(each.name), default=_HERE)
sys.path.insert(0, str(_FOLDER))

try:
    from portable import folder as _folder
    from portable.command import main as _main
except ImportError as error:
    raise ImportError(f"{error}. Try: pip install numpy onnxruntime google-re2") from None


def load(folder=_FOLDER):
    """Returns the model in a folder, by default the one beside this file."""
    return _folder.load(folder)


if __name__ == "__main__":
    sys.exit(_main(_FOLDER, sys.argv[1:]))
'''


def check_form(serving: ExportableModel) -> None:
    """Refuses a model that has no ONNX form.

    Raises:
        UserError: it is one.
    """
    if type(serving) not in _WRITERS:
        name = type(serving).__name__.removeprefix("Serving").lower()
        raise UserError(f"a {name} has no ONNX form. Use --format savedmodel")
    check_network(serving.model)


def write_form(
    serving: ExportableModel,
    folder: Path,
    files: Iterable[Path],
    facts: dict[str, Any],
    quantizer: str | None = None,
) -> None:
    """Writes the ONNX form of a model into a folder; the list of checksums has all that is there.

    Args:
        serving: its serving model.
        folder: the folder.
        files: the vocabularies and others, which are copied.
        facts: what else is known of the model, for `model.json`: `application`, `class_names`.
        quantizer: a key of `models.onnx.quantize.QUANTIZERS`, or None for weights as they are.

    Raises:
        UserError: the model has none; nothing was written.
    """
    check_form(serving)
    network, settings = _WRITERS[type(serving)](serving, folder)
    if quantizer is not None:
        network, settings["quantizer"] = quantize(network, quantizer), quantizer
    for file in files:
        shutil.copy(file, folder)
    (folder / NETWORK).write_bytes(network.SerializeToString())
    text = json.dumps({"format": FORMAT, **facts, **settings}, ensure_ascii=False, indent=1)
    (folder / SETTINGS).write_text(text + "\n", encoding="utf-8")
    write_checksum_list(folder, CHECKSUMS)


def write_answering(folder: Path) -> None:
    """Copies into the folder of a form what answers: a package, and a module that runs it."""
    source = Path(models.portable.__file__).parent
    shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ANSWER).write_text(ANSWER_MODULE, encoding="utf-8")


def _write_classifier(
    serving: ServingClassifier, folder: Path
) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """Writes the linear models, and returns the network and the settings."""
    preprocessor, decision, model = serving.preprocessor, serving.decision, serving.model
    if linear := linear_models(model):
        arrays: dict[str, Any] = {
            f"{name}_{number}": np.asarray(getattr(each, name))
            for number, each in enumerate(linear)
            for name in ("keys", "coefficients", "bias")
        }
        arrays |= {"models": len(linear), "vocabulary_size": linear[0].vocabulary_size}
        np.savez(folder / "ngrams.npz", **arrays)
    return classifier_network(model), {
        "kind": "classifier",
        "steps": STEPS[preprocessor.standardize],
        "max_length": preprocessor.max_length,
        "head": preprocessor.head,
        "max_word_length": preprocessor.max_word_length,
        "linear": bool(linear),
        "decision": {
            "multi_label": decision.multi_label,
            "temperature": decision.temperature,
            "thresholds": decision.thresholds,
        },
    }


def _write_tagger(serving: ServingTagger, folder: Path) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """Returns the network and the settings."""
    preprocessor, model = serving.preprocessor, serving.model
    return tagger_network(model), {
        "kind": "tagger",
        "tags": model.settings["tags"],
        "words": rules_as_table(),
        "cases": [*CASES.values()] if preprocessor.case_features else [],
        "lowercase": preprocessor.lowercase,
        "language": bool(model.settings["language_model"]),
        "max_word_length": preprocessor.max_word_length,
        "window": serving.window,
        "overlap": serving.overlap,
        "crf": {name: each.tolist() for name, each in crf_weights(model).items()},
    }


def _write_generator(
    serving: TextGenerator, folder: Path
) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """Returns the network and the settings."""
    model: Any = serving.model
    labels = model.settings["num_labels"] or 1
    states = [np.asarray(each) for each in model.initial_states(labels, tf.range(labels))]
    names = state_names(model.stack)
    return language_model_network(model), {
        "kind": "language model",
        "tokenizer": rules_of(serving.preprocessor),
        "ends": serving.end == END,
        "banned_ids": serving.constraints.banned_ids,
        "longest_prompt": LONGEST_PROMPT,
        "initial_states": [
            {name: each[label].tolist() for name, each in zip(names, states, strict=True)}
            for label in range(labels)
        ],
        "options": {
            **{each.name: getattr(serving.options, each.name) for each in fields(DecodingOptions)},
            "label": serving.label,
        },
    }


def _write_translator(
    serving: ServingTranslator, folder: Path
) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """Writes the network of the decoder, and returns that of the encoder and the settings."""
    model: Any = serving.model
    (folder / DECODER).write_bytes(decoder_network(model).SerializeToString())
    fed = model.decoder.feeding == "attentional"
    return encoder_network(model), {
        "kind": "translator",
        "answer": serving.column,
        "tokenizer": rules_of(serving.preprocessor),
        "attention": model.decoder.attention is not None,
        "feeding_size": model.decoder.size if fed else 0,
        "options": {**asdict(serving.search), "replace_unknown": serving.replace_unknown},
    }


def rules_of(tokenizer: Tokenizer) -> dict[str, Any]:
    """Returns how a tokenizer cleans and cuts texts, for `models.portable.decoding.tokenizer`."""
    # Twice, since the end of a match cannot begin another one.
    joiners = (NEEDLESS_JOINERS, r"\1\2")
    rules = {
        "spaced": tokenizer.spaced,
        "clean": [(FORMAT_CHARACTERS, ""), joiners, joiners],
        "pieces": rules_of_pieces(),
    }
    if tokenizer.kind == TAGGER_TOKENS:
        return {**rules, "splitter": rules_as_table()}
    if tokenizer.kind in CLASSIFIER_TOKENS:
        return {**rules, "splitter": {"steps": STEPS[CLASSIFIER_TOKENS[tokenizer.kind]]}}
    return rules


_WRITERS: dict[type, Callable[[Any, Path], tuple[onnx.ModelProto, dict[str, Any]]]] = {
    ServingClassifier: _write_classifier,
    ServingTagger: _write_tagger,
    TextGenerator: _write_generator,
    ServingTranslator: _write_translator,
}
