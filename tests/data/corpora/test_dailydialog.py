import lzma
import zipfile

import pytest

from data.corpora.dialogues.dailydialog import read, space_ordinarily
from data.errors import UserError

TRAIN = """Good.Let ' s go now . __eou__ All right , I ’ m coming . __eou__
Where have you been all day ? __eou__ I was at home , of course . __eou__ Why ? __eou__
"""
VALIDATION = """good . Let's go now ! __eou__ All right, I'm coming . __eou__
Where have you been all day? __eou__ Not here . __eou__ What did you do all the time ? __eou__
So what ? __eou__ Nothing ( at all ) . __eou__
"""


def write(folder, pack):
    for split, text in {"train": TRAIN, "validation": VALIDATION}.items():
        pack(folder / "dailydialog", split, text)
    return str(folder)


def pack_xz(folder, split, text):
    (folder / split).mkdir(parents=True)
    with lzma.open(folder / split / f"dialogues_{split}.txt.xz", "wt", encoding="utf-8") as file:
        file.write(text)


def pack_zip(folder, split, text):
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{split}.zip", "w") as archive:
        archive.writestr(f"{split}/dialogues_{split}.txt", text)
        archive.writestr(f"{split}/dialogues_emotion_{split}.txt", "0 0\n")


@pytest.mark.parametrize("pack", [pack_xz, pack_zip])
def test_dialogues_are_read_as_people_write_and_copies_are_dropped(pack, tmp_path):
    splits = read(write(tmp_path, pack), "dailydialog")
    assert splits == {
        "train": [
            ("Good. Let's go now.", "All right, I'm coming."),
            ("Where have you been all day?", "I was at home, of course.", "Why?"),
        ],
        "validation": [
            ("Where have you been all day?", "Not here.", "What did you do all the time?"),
            ("So what?", "Nothing (at all)."),
        ],
    }


def test_the_clean_split_has_no_dialogue_of_known_turns(tmp_path):
    splits = read(write(tmp_path, pack_xz), "dailydialog_clean")
    # One of two turns of six words and more stands in the training split.
    assert splits["validation"] == [("So what?", "Nothing (at all).")]
    assert len(splits["train"]) == 2


def test_a_number_and_a_pause_keep_their_signs():
    assert space_ordinarily("It costs 3.50 , well ... 4,000 , Mr . Li .") == (
        "It costs 3.50, well... 4,000, Mr. Li."
    )


def test_a_missing_split_is_a_mistake_with_a_remedy(tmp_path):
    with pytest.raises(UserError, match=r"no train split of dailydialog in .* pass --data-dir"):
        read(str(tmp_path), "dailydialog")
