import json

import pytest
from PIL import Image

from data.errors import UserError
from data.user_files.captions import read_caption_file
from data.user_files.columns import CaptionFiles

NAMES = [f"pictures/{number}.png" for number in range(20)]


@pytest.fixture
def here(tmp_path):
    """A folder with pictures of different colours."""
    (tmp_path / "pictures").mkdir()
    for number, name in enumerate(NAMES):
        Image.new("RGB", (2, 2), (number, 0, 0)).save(tmp_path / name)
    return tmp_path


def write(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def table(rows, header="image,caption"):
    return "\n".join([header, *rows, ""])


def captions_by_name(part):
    names = [name.rpartition("/")[2] for name in part.texts]
    return dict(zip(names, part.captions, strict=True))


def test_rows_of_the_same_picture_are_its_captions(here):
    rows = [f"{name},caption {n}" for n in (1, 2) for name in NAMES]
    corpus = read_caption_file(write(here / "a.csv", table(rows)))
    assert corpus.describe() == "a.csv: 16 train, 2 validation, 2 test; 40 captions"
    everything = corpus.everything()
    assert set(everything.captions) == {("caption 1", "caption 2")}
    assert sorted(everything.texts) == sorted(str(here / name) for name in NAMES)
    assert everything.take([3]).pairs() == [(0, "caption 1"), (0, "caption 2")]
    assert everything.pictures[0].read().startswith(b"\x89PNG")


def test_a_cell_of_json_lines_may_be_a_list_of_captions(here):
    rows = [json.dumps({"image": name, "caption": ["a  b\n", "c"]}) for name in NAMES]
    corpus = read_caption_file(write(here / "a.jsonl", "\n".join(rows)))
    assert set(corpus.everything().captions) == {("a b", "c")}


def test_copies_of_a_picture_stay_in_one_split_and_the_order_of_rows_changes_nothing(here):
    copies = [f"copy{number}.png" for number in range(20)]
    for name, copy in zip(NAMES, copies, strict=True):
        (here / copy).write_bytes((here / name).read_bytes())
    rows = [f"{name},a" for name in [*NAMES, *copies]]
    one = read_caption_file(write(here / "a.csv", table(rows)))
    other = read_caption_file(write(here / "b.csv", table(rows[::-1])))
    for split in ("train", "validation", "test"):
        digests = [picture.digest for picture in one.splits[split].pictures]
        assert len(digests) == 2 * len(set(digests))
        assert set(one.splits[split].texts) == set(other.splits[split].texts)


def test_a_column_of_splits_is_used_and_a_tenth_of_training_validates_if_there_is_none(here):
    rows = [f"{name},a,{'test' if n < 10 else 'Training'}" for n, name in enumerate(NAMES)]
    corpus = read_caption_file(write(here / "a.csv", table(rows, "image,caption,split")))
    assert {name: len(part) for name, part in corpus.splits.items()} == {
        "train": 9,
        "validation": 1,
        "test": 10,
    }


def test_columns_folder_and_files_of_other_splits_can_be_named(here):
    header = "file\ttext"
    paths = [
        write(here / "tables" / f"{i}.tsv", table([f"{i}.png\tcaption {i}"], header))
        for i in range(3)
    ]
    files = CaptionFiles("file", "text", "split", str(here / "pictures"), paths[1], paths[2])
    corpus = read_caption_file(paths[0], files)
    assert {name: captions_by_name(part) for name, part in corpus.splits.items()} == {
        "train": {"0.png": ("caption 0",)},
        "validation": {"1.png": ("caption 1",)},
        "test": {"2.png": ("caption 2",)},
    }


def coco(numbers, split="val2017"):
    return {
        "info": {},
        "images": [{"id": 900 + n, "file_name": f"{n}.png", "height": 2} for n in numbers],
        "annotations": [
            {"id": 10 * n + k, "image_id": 900 + n, "caption": f"Caption {k} of {n}.\n"}
            for k in range(2)
            for n in numbers
        ],
    }


def test_cocos_captions_find_their_pictures_in_the_folder_of_their_name(here):
    (here / "pictures").rename(here / "val2017")
    path = write(here / "annotations" / "captions_val2017.json", coco(range(20)))
    everything = read_caption_file(path).everything()
    assert len(everything) == 20
    assert captions_by_name(everything)["7.png"] == ("Caption 0 of 7.", "Caption 1 of 7.")


def test_cocos_two_files_are_two_splits(here):
    paths = [write(here / f"captions_{i}.json", coco([i])) for i in range(2)]
    files = CaptionFiles(folder=str(here / "pictures"), validation=paths[1])
    corpus = read_caption_file(paths[0], files)
    assert {name: list(captions_by_name(part)) for name, part in corpus.splits.items()} == {
        "train": ["0.png"],
        "validation": ["1.png"],
    }


def test_karpathys_file_has_the_splits_of_its_pictures(here):
    images = [
        {"filename": f"{i}.png", "filepath": "pictures", "split": split, "sentences": sentences}
        for i, (split, sentences) in enumerate(
            [
                ("train", [{"raw": "A dog.", "tokens": ["a", "dog"]}, {"raw": "One dog."}]),
                ("restval", [{"raw": "A cat."}]),
                ("val", [{"raw": "A cow."}]),
                ("test", [{"raw": "A pig."}]),
            ]
        )
    ]
    corpus = read_caption_file(write(here / "dataset.json", {"images": images, "dataset": "x"}))
    assert {name: captions_by_name(part) for name, part in corpus.splits.items()} == {
        "train": {"0.png": ("A dog.", "One dog."), "1.png": ("A cat.",)},
        "validation": {"2.png": ("A cow.",)},
        "test": {"3.png": ("A pig.",)},
    }


def test_the_same_content_has_the_same_checksum_in_any_format(here):
    rows = [json.dumps({"image": name, "caption": "a"}) for name in NAMES]
    one = read_caption_file(write(here / "a.jsonl", "\n".join(rows)))
    other = read_caption_file(write(here / "b.csv", table(f"{name},a" for name in NAMES)))
    third = read_caption_file(write(here / "c.csv", table(f"{name},b" for name in NAMES)))
    assert one.checksum == other.checksum != third.checksum


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "image,caption\n", r"a\.csv has no rows\."),
        ("a.csv", "image,text\n0.png,a\n", r"no column 'caption' in .*has: image, text\. Choose"),
        ("a.csv", "image,caption\n,a\n", r"1 row\(s\) without a picture: row 1\. Fix or drop"),
        ("a.csv", "image,caption\n0.png,a\n0.png, \n", r"without a caption: row 2\. Fix or drop"),
        ("a.csv", "image,caption\n0.png,a,b\n", r"1 unreadable row\(s\): row 1: 3 fields where"),
        ("a.csv", "image,caption\nno.png,a\n0.png,a", r"1 of 2 pictures are not in .*: no\.png\."),
        ("a.csv", f"image,caption\n{'x' * 300},a\n", r"1 of 1 pictures are not in"),
        ("a.jsonl", '{"image": "0.png", "caption": [1]}', r"without a caption: row 1"),
        (
            "a.csv",
            "image,caption,split\n0.png,a,trian\n",
            r"row 1 is of an unknown split, 'trian'\. Choose from: train, ",
        ),
        (
            "a.csv",
            "image,caption,split\n0.png,a,train\n0.png,b,test\n",
            r"0\.png stands in two splits, train and in row 2 test\. Choose one",
        ),
        ("a.txt", "a", r"a\.txt: captions are read from \.csv, .* and \.json files\. Save it as"),
        ("a.json", "[]", r"a\.json has no list of images\. Expected COCO's"),
        ("a.json", "{", r"a\.json is not JSON: "),
        ("a.json", {"images": [{"id": 1}], "annotations": []}, r"lacks .*file_name.*Expected COCO"),
        ("a.json", {"images": [{"filename": "0.png"}]}, r"lacks what it should have: .*sentences"),
        ("a.json", {"images": ["a"], "annotations": 1}, r"lacks what it should have"),
        (
            "a.json",
            {
                "images": [{"id": 1, "file_name": "0.png"}],
                "annotations": [{"image_id": 2, "caption": "a"}],
            },
            r"lacks what it should have: KeyError\(2\)",
        ),
    ],
)
def test_files_that_cannot_be_used_are_user_errors_of_one_line(here, name, content, message):
    path = write(here / "pictures" / name, content)
    with pytest.raises(UserError, match=message) as caught:
        read_caption_file(path)
    assert "\n" not in str(caught.value)
