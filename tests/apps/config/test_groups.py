"""Groups of options: what each application has, and how its help shows it; without TensorFlow."""

import dataclasses
import re
from dataclasses import dataclass
from typing import ClassVar

import pytest

from apps.config.ensembles import EnsembleOptions
from apps.config.groups import BatchOptions, RecurrentOptions, RunOptions
from apps.config.options import (
    DROPPED,
    Options,
    names_in,
    option,
    override,
    redefault,
    to_json,
    without_dropped,
)
from apps.config.parser import add_fields, new_parser
from apps.config.training import TrainingConfig
from apps.hate_speech import HateSpeechConfig
from apps.ner import NerConfig
from apps.sentiment import SentimentConfig
from apps.tasks.classification.config import ClassificationConfig
from apps.tasks.generation.config import DocumentOptions, GenerationConfig, GenerationPredictOptions
from apps.tasks.seq2seq.config import TranslationConfig, TranslationPredictOptions
from apps.tasks.tagging.config import TaggingConfig
from data.errors import UserError

CONFIGS = (ClassificationConfig, TaggingConfig, GenerationConfig, TranslationConfig)


@dataclass(frozen=True)
class Small(RecurrentOptions):
    main: ClassVar[tuple[str, ...]] = ("units", "colour")

    units: int = redefault(RecurrentOptions, "units", 8)
    dropout: float = redefault(RecurrentOptions, "dropout", 0.1, "share of nothing")
    colour: str = option("red", "colour of the model", ("red", "blue"))


def test_a_default_that_is_restated_keeps_help_and_bounds():
    ours, theirs = (cls.__dataclass_fields__["units"] for cls in (Small, RecurrentOptions))
    assert (ours.default, theirs.default) == (8, 96)
    assert ours.metadata == theirs.metadata
    with pytest.raises(UserError, match="--units must be at least 1"):
        override(Small(), {"units": 0})
    assert Small.__dataclass_fields__["dropout"].metadata["help"] == "share of nothing"
    assert RecurrentOptions.__dataclass_fields__["dropout"].metadata["help"] != "share of nothing"


def test_an_option_belongs_to_the_group_that_introduced_it():
    assert "units" in names_in(Small, RecurrentOptions)
    assert names_in(TaggingConfig, BatchOptions) == ("batch_size", "batch_tokens")
    assert "batch_size" not in names_in(GenerationConfig, BatchOptions)
    assert names_in(GenerationConfig, DocumentOptions) == (
        "text_column",
        "label_column",
        "split_column",
    )


def shown(capsys, *arguments):
    parser = new_parser("toy", "A toy.")
    parser.add_help_all()
    parser.add_argument("texts", nargs="*", help="texts to answer")
    add_fields(parser, Small, Small())
    with pytest.raises(SystemExit) as stop:
        parser.parse_args(list(arguments))
    assert stop.value.code == 0
    return capsys.readouterr().out


def test_help_shows_the_main_options_and_says_where_the_others_are(capsys):
    out = shown(capsys, "--help")
    assert re.findall(r"^  --([a-z-]+)", out, re.MULTILINE) == ["help-all", "units", "colour"]
    assert "show all options" in out and "(default: 8)" in out and "texts to answer" in out


def test_help_all_shows_every_option_in_its_group(capsys):
    out = shown(capsys, "--help-all")
    flags = re.findall(r"^  --([a-z0-9-]+)", out, re.MULTILINE)
    names = [field.name.replace("_", "-") for field in dataclasses.fields(Small)]
    assert sorted(flags) == sorted(["help-all", *names])
    assert out.count("\nrecurrent layers:\n") == 1
    recurrent = out.partition("\nrecurrent layers:\n")[2]
    assert "--units" in recurrent and "--help-all" not in recurrent


@pytest.mark.parametrize("config", [*CONFIGS, GenerationPredictOptions, TranslationPredictOptions])
def test_what_help_shows_first_are_options_and_with_those_of_the_verb_ten_at_most(config):
    names = {field.name for field in dataclasses.fields(config)}
    assert set(config.main) <= names
    # `train` adds --run and --resume, `predict` --run, --input, --output and --text-column.
    verb = 2 if issubclass(config, TrainingConfig) else 4
    assert len(config.main) + verb <= 10


@pytest.mark.parametrize(
    ("config", "lacking"),
    [
        (ClassificationConfig, set()),
        (TaggingConfig, set()),
        (TranslationConfig, {"vectors", "freeze_vectors"}),
        (GenerationConfig, set(DROPPED)),
    ],
)
def test_a_config_lacks_what_its_task_does_not_read_and_former_files_still_load(config, lacking):
    names = {field.name for field in dataclasses.fields(config)}
    assert set(DROPPED) - names == lacking
    stored = {**to_json(config()), "vectors": "glove.txt", "ensemble": True, "bidirectional": True}
    kept = without_dropped(config, stored)
    assert kept.keys() == names
    restored = override(config(), kept)
    assert "vectors" in lacking or restored.vectors == "glove.txt"


def test_an_option_that_no_config_ever_had_is_not_dropped_silently():
    kept = without_dropped(TranslationConfig, {"vectors": None, "vectorz": None})
    assert kept == {"vectorz": None}


@pytest.mark.parametrize("config", [*CONFIGS, HateSpeechConfig, SentimentConfig, NerConfig])
def test_every_default_is_within_its_own_bounds_and_every_option_has_a_line_of_help(config):
    assert override(config(), to_json(config())) == config()
    for field in dataclasses.fields(config):
        words = field.metadata["help"]
        assert 5 < len(words) < 200 and not words.startswith(("of ", "as in ", "likewise"))


def test_the_options_of_a_member_are_those_of_one_seed():
    whole = ClassificationConfig(seed=3, seeds=2, ensemble=True)
    assert whole.averaged and whole.of_member(4) == ClassificationConfig(seed=4)
    several = TranslationConfig(seed=3, seeds=2)
    assert not several.averaged and several.of_member(4) == TranslationConfig(seed=4)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (RunOptions(jit=True, deterministic=True), "--jit and --deterministic exclude each other"),
        (EnsembleOptions(ensemble=True), "--seeds is 1. Pass --seeds 3"),
        (ClassificationConfig(ensemble=True), "--seeds is 1. Pass --seeds 3"),
        (ClassificationConfig(vectors="no.txt"), "no file 'no.txt'. Check --vectors"),
        (TaggingConfig(jit=True, deterministic=True), "--jit and --deterministic exclude"),
        (ClassificationConfig(r_drop=1.0, adversarial=1.0), "--r-drop and --adversarial exclude"),
        (
            TranslationConfig(r_drop=1.0, self_critical=2, init_from="run"),
            "--r-drop and --self-critical exclude each other. Leave one out",
        ),
    ],
)
def test_each_group_refuses_what_cannot_be(config, message):
    with pytest.raises(UserError) as error:
        config.check()
    assert message in str(error.value)


def test_options_that_fit_pass_all_checks(tmp_path):
    (tmp_path / "glove.txt").touch()
    ClassificationConfig(vectors=str(tmp_path / "glove.txt"), seeds=2, ensemble=True).check()
    assert issubclass(TrainingConfig, Options)


def test_data_that_are_not_there_are_refused(tmp_path):
    (tmp_path / "en.txt").touch()
    config = TranslationConfig(dataset=str(tmp_path / "en.txt"), test_target_file="no.txt")
    with pytest.raises(UserError, match="--test-target-file"):
        config.check_data(())
    with pytest.raises(UserError, match="neither one of sample, imdb nor a file"):
        ClassificationConfig(dataset=str(tmp_path)).check_data(("imdb",))
    GenerationConfig(dataset=str(tmp_path)).check_data(())


def test_the_file_of_a_data_set_is_known_where_it_is_one(tmp_path):
    file = str(tmp_path / "a.csv")
    assert str(ClassificationConfig(dataset=file).data_file(("imdb",), "spam.csv")) == file
    assert ClassificationConfig(dataset="imdb").data_file(("imdb",), "spam.csv") is None
    assert ClassificationConfig().data_file((), "spam.csv").name == "spam.csv"
    assert GenerationConfig().data_file((), "") is None
    assert TranslationConfig(dataset=file, target_file="b").data_file((), "") is None
