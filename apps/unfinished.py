"""The folder of a training that is not complete, beside the run whose place it will take."""

import fcntl
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path

from apps.run_folder import (
    CHECKPOINTS,
    CONFIG,
    GRADIENT_NORMS,
    HISTORY,
    LOGS,
    REFIT,
    REFIT_HISTORY,
    SEEDS,
    RunFolder,
    read_object,
)
from data.errors import UserError
from data.files import take_place, writing

# What its `config.json` says at the least.
_DESCRIBED = {"application": str, "config": dict, "command": str, "checksum": str, "versions": dict}
# What the run keeps of it, by its name there.
_PUBLISHED = {
    HISTORY: HISTORY,
    GRADIENT_NORMS: GRADIENT_NORMS,
    f"{REFIT}/{HISTORY}": REFIT_HISTORY,
}


class UnfinishedTraining:
    """`.NAME.training` beside the run NAME: options, checkpoints, history and logs.

    Only one process at a time trains for a run. The lock is a file that the system forgets with
    the process, however that ends.

    With several seeds the training with each of them lies in its folder `seeds`, and then its run;
    a second training, on the validation split, too, lies in `refit`.

    Args:
        run: the path of the run folder; that one is not touched before `publishing`.
        whole: the training with several seeds that this one is a part of, or None.
    """

    def __init__(self, run: Path, whole: "UnfinishedTraining | None" = None):
        self.name, self.whole = f"{whole.name}, seed {run.name}" if whole else run, whole
        self.run = Path(os.path.realpath(run))
        self.path = self.run.with_name(f".{self.run.name}.training")
        self._new, self._former = self.path / "run", self.path / "former"
        self._discarded = self.path / "discarded"
        # TensorFlow writes it after the first checkpoint, and anew after each.
        self._checkpoint_list = self.path / CHECKPOINTS / "checkpoint"

    def member(self, seed: int) -> "UnfinishedTraining":
        """The part of this training that one of several seeds is."""
        return UnfinishedTraining(self.path / SEEDS / str(seed), self)

    @property
    def resumable(self) -> bool:
        """Whether there is a checkpoint to go on from, or of several seeds' one or a whole run."""
        return (
            self._checkpoint_list.is_file()
            or bool(RunFolder(self.path).members())
            or any(self.path.glob(f"{SEEDS}/*/{CHECKPOINTS}/checkpoint"))
        )

    def describe(self, application: str) -> dict:
        """What its `config.json` says.

        Raises:
            UserError: there is nothing to go on from, or it is damaged or of another application.
        """
        if not self.resumable:
            raise UserError(
                f"no unfinished training of {self.name} has a checkpoint to go on from. "
                "Train without --resume, or check --run"
            )
        path = self.path / CONFIG
        try:
            description = read_object(path)
        except UserError:
            description = {}
        if any(not isinstance(description.get(key), kind) for key, kind in _DESCRIBED.items()):
            raise UserError(f"{path} is damaged. Train anew with --restart")
        if description["application"] != application:
            raise UserError(
                f"{self.path} is a training of {description['application']!r}, not of "
                f"{application!r}. Check --run"
            )
        return description

    def way_on(self, application: str) -> str:
        """The command that goes on with it, as a sentence."""
        if not self.resumable:
            return "There is no checkpoint to go on from"
        return f"Go on with: python -m apps.{application} train --resume --run {self.name}"

    @contextmanager
    def locked(self):
        """Holds the folder for this process; without a checkpoint nothing of it stays.

        Raises:
            UserError: another process holds it, or it cannot be written.
        """
        with writing(self.path):
            lock = self._lock()
        try:
            self._recover()
            yield
        finally:
            if not self.resumable:
                self.discard()
            os.close(lock)

    def begin(self, restart: bool) -> None:
        """Empties the folder for a new training.

        Raises:
            UserError: it can be resumed and the user did not say that it shall not.
        """
        if self.resumable and not restart:
            raise UserError(
                f"{self.name} has an unfinished training. Go on with --resume, or discard it with "
                "--restart"
            )
        self._forget()
        for entry in self.path.iterdir():
            if entry.name != "lock":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    @contextmanager
    def publishing(self):
        """Yields a new run folder with history and logs; whole, it takes the run's place.

        Raises:
            UserError: it cannot be written.
        """
        with writing(self.run):
            shutil.rmtree(self._new, ignore_errors=True)
            self._new.mkdir()
            try:
                for name, published in _PUBLISHED.items():
                    if (self.path / name).exists():
                        shutil.copy(self.path / name, self._new / published)
                if (self.path / LOGS).exists():
                    shutil.copytree(self.path / LOGS, self._new / LOGS)
                yield RunFolder(self._new)
                take_place(self._new, self.run, self._former)
            finally:
                shutil.rmtree(self._new, ignore_errors=True)
        shutil.rmtree(self._former, ignore_errors=True)

    def discard(self) -> None:
        """Removes the folder, and first what makes it one to resume."""
        self._forget()
        shutil.rmtree(self.path, ignore_errors=True)

    def _forget(self) -> None:
        """Nobody shall resume what is half removed."""
        self._checkpoint_list.unlink(missing_ok=True)
        if (self.path / SEEDS).exists():
            shutil.rmtree(self._discarded, ignore_errors=True)
            os.replace(self.path / SEEDS, self._discarded)

    def _lock(self) -> int:
        path = self.path / "lock"
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            # Whoever holds it may remove the folder meanwhile: then the lock is worth nothing.
            with suppress(FileNotFoundError):
                lock = os.open(path, os.O_RDWR | os.O_CREAT)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.path.samestat(os.stat(path), os.fstat(lock)):
                        return lock
                except BlockingIOError:
                    os.close(lock)
                    raise UserError(
                        f"another process is training {self.name}. Wait for it, or choose another "
                        "--run"
                    ) from None
                os.close(lock)

    def _recover(self) -> None:
        """Puts a run back that was on its way out when the process was killed."""
        if self._former.exists() and not self.run.exists():
            os.replace(self._former, self.run)
        shutil.rmtree(self._former, ignore_errors=True)
