from data.examples.dialogues import (
    dialogue_corpus,
    drop_copies,
    join_speakers,
    join_turns,
    pairs_of,
    split_dialogues,
)
from data.examples.parallel import Pair

LONG = ("Hello!", "Hi.", "How are you?", "Fine.")


def test_each_turn_but_the_first_answers_the_last_turns_before_it():
    assert pairs_of([LONG, ("Bye.", "See you.")], turns=2).rows == [
        Pair("Hello!", "Hi."),
        Pair("Hello!\nHi.", "How are you?"),
        Pair("Hi.\nHow are you?", "Fine."),
        Pair("Bye.", "See you."),
    ]


def test_a_turn_is_one_line_and_an_empty_one_is_none():
    assert join_turns(["a\n b ", " ", "c"]) == "a b\nc"


def test_what_one_speaker_writes_in_a_row_is_one_turn():
    spoken = [("A", "Hi."), ("B", "Hello."), ("B", "Who is it?"), ("A", "Me.")]
    assert join_speakers(spoken) == ("Hi.", "Hello. Who is it?", "Me.")


def test_a_copy_with_other_signs_is_a_copy():
    known = [("Let's go now.", "OK!")]
    others = [("let ' s go , now", "Ok"), ("Let's go.", "OK!")]
    assert drop_copies(others, known) == [("Let's go.", "OK!")]


def test_copies_of_a_dialogue_are_in_one_split_whatever_their_order():
    dialogues = [(f"Question {n}?", f"Answer {n}.") for n in range(40)] * 2
    shares = {"train": 0.8, "validation": 0.2}
    splits = split_dialogues(dialogues, shares)
    assert not set(splits["train"]) & set(splits["validation"])
    assert (len(splits["train"]), len(splits["validation"])) == (64, 16)
    again = split_dialogues(dialogues[::-1], shares)
    assert {name: sorted(part) for name, part in again.items()} == {
        name: sorted(part) for name, part in splits.items()
    }


def test_the_checksum_of_a_corpus_depends_on_how_many_turns_are_read():
    corpora = [dialogue_corpus("a", ("turns", "answer"), {"train": [LONG]}, n) for n in (1, 2, 2)]
    assert corpora[0].checksum != corpora[1].checksum == corpora[2].checksum
