import pytest
from PIL import Image

from data.datasets import read_captioned_pictures
from data.errors import UserError

LISTS = {"train": [0, 1, 2], "dev": [3], "test": [4, 5]}


@pytest.fixture
def here(tmp_path):
    """The files as their authors publish them, of seven pictures; one is in no list."""
    folder = tmp_path / "flickr8k"
    (folder / "Flicker8k_Dataset").mkdir(parents=True)
    lines = []
    for i in range(7):
        Image.new("RGB", (2, 2), (i, 0, 0)).save(folder / f"Flicker8k_Dataset/{i}.jpg")
        lines += [f"{i}.jpg#{k}\tCaption {k} of {i} ." for k in range(2)]
    (folder / "Flickr8k.token.txt").write_text("\n".join([*lines, "gone.jpg.1#0\tA dog ."]) + "\n")
    for name, numbers in LISTS.items():
        names = "\n".join(f"{i}.jpg" for i in numbers)
        (folder / f"Flickr_8k.{name}Images.txt").write_text(names + "\n")
    return tmp_path


def read(data_dir):
    corpus = read_captioned_pictures("flickr8k", str(data_dir))
    return {
        split: sorted(name.rpartition("/")[2] for name in part.texts)
        for split, part in corpus.splits.items()
    }


def test_the_lists_make_the_splits_and_each_picture_has_its_captions(here):
    assert read(here) == {
        "train": ["0.jpg", "1.jpg", "2.jpg"],
        "validation": ["3.jpg"],
        "test": ["4.jpg", "5.jpg"],
    }
    validation = read_captioned_pictures("flickr8k", str(here)).splits["validation"]
    assert validation.captions == [("Caption 0 of 3 .", "Caption 1 of 3 .")]


def test_the_folder_itself_may_be_the_data_folder(here):
    assert read(here / "flickr8k") == read(here)


def test_without_a_list_of_test_pictures_or_the_pictures_there_is_no_test_split(here):
    for i in LISTS["test"]:
        (here / f"flickr8k/Flicker8k_Dataset/{i}.jpg").unlink()
    assert list(read(here)) == ["train", "validation"]
    (here / "flickr8k/Flickr_8k.testImages.txt").unlink()
    assert list(read(here)) == ["train", "validation"]


def test_a_missing_training_picture_is_a_user_error(here):
    (here / "flickr8k/Flicker8k_Dataset/1.jpg").unlink()
    with pytest.raises(UserError, match=r"1 of 3 pictures are not in .*Flicker8k_Dataset: 1\.jpg"):
        read(here)


def test_kaggles_files_are_split_by_content(here, capsys):
    folder = here / "flickr8k"
    (folder / "Flicker8k_Dataset").rename(folder / "Images")
    lines = [f'{i}.jpg,"Caption {k}, of {i} ."' for i in range(7) for k in range(2)]
    (folder / "captions.txt").write_text("\n".join(["image,caption", *lines]) + "\n")
    for path in folder.glob("Flickr*"):
        path.unlink()
    splits = read(here)
    names = [name for part in splits.values() for name in part]
    assert sorted(names) == [f"{i}.jpg" for i in range(7)]
    assert "has no lists of splits: pictures are split by content" in capsys.readouterr().err
    everything = read_captioned_pictures("flickr8k", str(here)).everything()
    assert {group[1].partition(" of")[0] for group in everything.captions} == {"Caption 1,"}


def test_kaggles_table_is_split_by_the_lists_if_they_are_there(here):
    folder = here / "flickr8k"
    lines = [f"{i}.jpg,Caption of {i}" for i in range(7)]
    (folder / "captions.txt").write_text("\n".join(["image,caption", *lines]) + "\n")
    expected = read(here)
    (folder / "Flickr8k.token.txt").unlink()
    assert read(here) == expected


def test_what_is_missing_or_damaged_is_a_user_error(here, tmp_path):
    folder = here / "flickr8k"
    with pytest.raises(UserError, match=r"flickr8k cannot be downloaded\. Put Flickr8k\.token"):
        read_captioned_pictures("flickr8k")
    (folder / "Flickr8k.token.txt").write_text("0.jpg A dog .\n")
    with pytest.raises(UserError, match=r"1 row\(s\) that are not NAME#NUMBER, a tab and a cap"):
        read(here)
    (folder / "Flickr8k.token.txt").write_text("")
    with pytest.raises(UserError, match=r"has no list Flickr_8k\.trainImages\.txt of pictures"):
        read(here)
    (folder / "Flicker8k_Dataset").rename(folder / "elsewhere")
    with pytest.raises(UserError, match=r"flickr8k has no folder Flicker8k_Dataset of pictures"):
        read(here)
