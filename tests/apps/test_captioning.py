"""The application that describes pictures: all verbs, once, on a few drawn scenes."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from apps.captioning import APPLICATION
from apps.commands.main import main
from apps.config.serving import ServeOptions
from apps.server.models.engine import load_engine
from apps.tasks.captioning.answers import find_pictures
from apps.tasks.captioning.config import CaptioningPredictOptions
from apps.tasks.captioning.task import Captioning
from data.errors import UserError
from data.scenes import corpus as scenes
from models.serving.export import write_saved_model

TINY = [
    *["--epochs", "1", "--units", "4", "--embedding-dim", "4", "--picture-size", "16"],
    *["--batch-size", "16", "--dropout", "0", "--beam-width", "1", "--max-length", "20"],
]


@pytest.fixture(scope="module")
def small_sample():
    """The sample has a few scenes while this is in use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenes, "SPLIT_SIZES", {"train": 16, "validation": 4, "test": 4})
        yield


@pytest.fixture(scope="module")
def run(small_sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("captioning") / "run"
    main(APPLICATION, ["train", *TINY, "--mirror", "--run", str(folder)])
    return folder


@pytest.fixture(scope="module")
def task(run):
    """The trained task, which answers greedily."""
    return APPLICATION.trained(run)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder with two pictures and a file that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "noise.png")
    Image.fromarray(pixels[:, :, 0]).save(folder / "grey.jpg")
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def test_evaluate_measures_captions_scenes_and_baselines(run, capsys):
    main(APPLICATION, ["evaluate", "--run", str(run), "--baseline"])
    out = capsys.readouterr().out
    assert "CIDEr-D" in out and "right of 4 scenes" in out and "consensus of 15 pictures" in out
    metrics = json.loads((run / "metrics.json").read_text())["test"]
    assert metrics["scenes"]["caption"] == metrics["exact"]
    assert metrics["baseline"]["nearest picture"]["pictures"] == 4


def test_predict_describes_a_folder_and_names_what_is_no_picture(run, pictures, tmp_path):
    output, page, drawing = (tmp_path / name for name in ("out.csv", "out.html", "looked.png"))
    options = ["--output", str(output), "--html", str(page), "--attention-map", str(drawing)]
    main(APPLICATION, ["predict", "--run", str(run), str(pictures), *options])
    rows = list(csv.DictReader(output.open()))
    names = [row["image"].removeprefix(f"{pictures}/") for row in rows]
    assert names == ["broken.jpg", "grey.jpg", "noise.png"]
    assert "broken.jpg" in rows[0]["problem"] and not rows[0]["caption"]
    assert all(row["score"] and not row["problem"] for row in rows[1:])
    assert page.read_text().count("<div class=picture>") == 3
    # Numbered as the rows are.
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["looked-2.png", "looked-3.png"]


def test_paths_begin_in_the_folder_of_their_table(task, pictures, monkeypatch):
    monkeypatch.setattr(task, "folder", pictures)
    found, lost = task.answer(["noise.png", "lost.png"])
    assert found["score"] is not None and not found["problem"]
    assert lost["caption"] is None and str(pictures / "lost.png") in lost["problem"]
    assert task.format_answer("noise.png", found) == f"noise.png\n    {found['caption']}"
    assert task.to_result("lost.png", lost).problem == lost["problem"]


def test_an_export_answers_files_as_the_task_does(task, pictures, tmp_path):
    write_saved_model(task.serving(), tmp_path)
    model = tf.saved_model.load(tmp_path)
    paths = [pictures / name for name in ("noise.png", "grey.jpg")]
    content = tf.constant([path.read_bytes() for path in paths])
    plain = model.signatures["serving_default"](images=content)
    rows = task.answer([*map(str, paths)])
    assert [text.decode() for text in plain["captions"].numpy()] == [row["caption"] for row in rows]
    assert plain["scores"].numpy() == pytest.approx([row["score"] for row in rows], rel=1e-4)
    answer = model.signatures["with_attention"](images=content)
    real = answer["tokens"].numpy() != b""
    weights = answer["attention"].numpy()
    assert weights.shape[2:] == (2, 2)
    assert weights.sum(axis=(2, 3)) == pytest.approx(real.astype(np.float32), abs=1e-5)


def test_the_mean_of_a_captioner_and_itself_answers_as_it_does(task, pictures, tmp_path):
    whole = Captioning.ensemble([task, task], corpus=None)
    assert whole.model.one_encoder
    whole.set_options(CaptioningPredictOptions(html=str(tmp_path / "page.html")))
    paths = find_pictures([str(pictures)])
    expected = [row["caption"] for row in task.answer(paths)]
    assert [row["caption"] for row in whole.answer(paths)] == expected


def test_members_of_other_vocabularies_are_refused(run, task):
    other = APPLICATION.trained(run)
    other.tokenizer_vocabulary = replace(other.tokenizer_vocabulary, tokens=("other",))
    with pytest.raises(UserError, match="different vocabularies"):
        Captioning.ensemble([task, other], corpus=None)


def test_a_training_begins_with_the_tokens_and_weights_of_another_captioner(run, task):
    config = replace(task.config, init_from=str(run))
    begun = Captioning.build(config, config.read_corpus(""))
    assert begun.tokenizer_vocabulary == task.tokenizer_vocabulary
    for ours, theirs in zip(begun.model.weights, task.model.weights, strict=True):
        assert ours.numpy() == pytest.approx(theirs.numpy())


def test_a_captioner_learns_from_what_it_draws(run, tmp_path):
    own = tmp_path / "own"
    options = ["--init-from", str(run), "--self-critical", "2", "--learning-rate", "0.01"]
    main(APPLICATION, ["train", *TINY, *options, "--run", str(own)])
    with open(own / "history.csv", newline="") as file:
        (epoch,) = csv.DictReader(file)
    assert float(epoch["reward"]) >= 0
    described = json.loads((own / "config.json").read_text())
    assert described["config"]["self_critical"] == 2
    before, after = (APPLICATION.trained(folder).model.get_weights() for folder in (run, own))
    assert any(not np.allclose(*pair) for pair in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"self_critical": 1}, "draw 2 or more"),
        ({"self_critical": 2, "jit": True}, "Leave --jit and"),
        ({"self_critical": 2, "scheduled_sampling": 0.1}, "Leave --jit and"),
    ],
    ids=["alone", "jit", "sampling"],
)
def test_what_does_not_go_with_captions_that_are_drawn_is_refused(options, message):
    config = replace(APPLICATION.config(), init_from="runs/former", **options)
    with pytest.raises(UserError, match=message):
        config.check()


def test_a_server_refuses_a_model_of_pictures(run):
    with pytest.raises(UserError, match="a server answers texts"):
        load_engine(run, ServeOptions())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--encoder", "MobileNetV9"], "Did you mean MobileNetV2?"),
        (["--encoder", "MobileNetV2", "--augment"], "stays as it is"),
        (["--fine-tune"], "small-cnn learns"),
        (["--attention", "none", "--doubly-stochastic", "1"], "need an --attention"),
        (["--dataset", "nowhere"], "no data set 'nowhere'"),
        (["--self-critical", "4"], "Add --init-from RUN"),
    ],
    ids=["unknown-encoder", "augment", "fine-tune", "no-attention", "no-data", "first"],
)
def test_wrong_options_are_one_line(options, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(APPLICATION, ["train", *options, "--run", str(tmp_path / "run")])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_inspect_counts_pictures_and_names_what_cannot_be_read(tmp_path, capsys):
    for number, shade in enumerate((10, 20)):
        Image.new("RGB", (8, 8), (shade, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    rows = [f"{n}.png,a red square,{split}" for n, split in enumerate(("train", "test", "test"))]
    (tmp_path / "table.csv").write_text("\n".join(["image,caption,split", *rows]))
    main(APPLICATION, ["inspect", str(tmp_path / "table.csv"), "--json"])
    facts = json.loads(capsys.readouterr().out)["pictures"]
    assert facts["train"] == {"pictures": 1, "captions": 1, "broken": 0}
    assert facts["test"] == {"pictures": 2, "captions": 2, "broken": 1}
