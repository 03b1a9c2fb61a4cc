import asyncio
from pathlib import Path

import pytest

from apps.config.serving import ServeOptions
from apps.server.metrics import Metrics
from apps.server.models.served_model import ServedModel, find_place, parse_model
from data.errors import UserError
from tests.apps.server.conftest import Toy, add_version


class Numbered(Toy):
    """Answers with the number of its version."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def answer(self, texts, mode=""):
        return [{"version": self.number} for _ in texts]


def load(path: Path, options):
    if (path / "broken").exists():
        raise UserError("the model is damaged")
    engine = Numbered(int(path.name))
    engine.application = "other" if (path / "other").exists() else "toy"
    return engine


@pytest.fixture
def folder(tmp_path):
    add_version(tmp_path, 1)
    return tmp_path


def with_model(folder, test):
    async def run():
        model = ServedModel("m", folder, ServeOptions(), load, Metrics())
        await model.load()
        try:
            await test(model)
        finally:
            await model.close()

    asyncio.run(asyncio.wait_for(run(), 10))


def test_a_new_version_takes_over(folder):
    async def test(model):
        assert await model.answer(["a"]) == [{"version": 1}]
        add_version(folder, 10)
        add_version(folder, 9)
        await model.refresh()
        assert await model.answer(["a"]) == [{"version": 10}] and model.version.number == 10

    with_model(folder, test)


@pytest.mark.parametrize("fault", ["broken", "other"])
def test_a_version_that_cannot_answer_is_refused_once_and_the_former_one_goes_on(
    folder, fault, caplog
):
    async def test(model):
        add_version(folder, 2)
        (folder / "2" / fault).touch()
        for _ in range(3):
            await model.refresh()
        assert await model.answer(["a"]) == [{"version": 1}]
        assert sum("is refused" in line for line in caplog.messages) == 1
        add_version(folder, 3)
        await model.refresh()
        assert await model.answer(["a"]) == [{"version": 3}]

    with_model(folder, test)


def test_answers_go_on_while_a_version_is_loaded(folder):
    async def test(model):
        add_version(folder, 2)
        refreshing = asyncio.create_task(model.refresh())
        answered = []
        while not refreshing.done():
            answered += await model.answer(["a"])
        assert {row["version"] for row in answered} <= {1, 2}
        assert await model.answer(["a"]) == [{"version": 2}]

    with_model(folder, test)


def test_a_run_that_another_training_has_replaced_is_another_version(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("config.json", "model.keras"):
        (run / name).touch()
    before = find_place(run)
    (run / "config.json").unlink()
    assert find_place(run) is None, "it is being replaced"
    (run / "config.json").write_text("{}")
    assert before is not None and find_place(run).mark != before.mark


@pytest.mark.parametrize(
    ("text", "name", "path"),
    [("runs/a", "a", "runs/a"), ("b=runs/a", "b", "runs/a"), ("b=x=y", "b", "x=y")],
)
def test_a_model_is_called_like_its_folder_unless_it_has_a_name(text, name, path):
    assert parse_model(text) == (name, Path(path))


def test_a_name_that_no_address_can_hold_is_refused():
    with pytest.raises(UserError, match=r"'a b' is no name for a model.*Pass NAME=runs/a b"):
        parse_model("runs/a b")
