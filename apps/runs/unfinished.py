"""The folder of an unfinished training, beside the run that it will replace."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from apps.runs.contents import (
    CHECKPOINTS,
    CONFIG,
    DISCARDED,
    FORMER,
    GRADIENT_NORMS,
    HISTORY,
    LOCK,
    LOGS,
    MEMBERS,
    NEW,
    REFIT,
    REFIT_HISTORY,
    RUN,
    SEEDS,
    TRACKING,
    TRAINING,
    find_foreign,
    remove_known,
    rescue_foreign,
)
from apps.runs.description import FORMAT, RunDescription
from apps.runs.folder import Damaged, RunFolder, read_object
from apps.terminal.program import command_line
from data.errors import UserError
from data.files.replacement import sync_names, sync_tree, take_place
from data.files.writing import explain_write_errors
from data.messages import warn

# What the run keeps of it, by its names in both folders.
_PUBLISHED = {
    HISTORY: HISTORY,
    GRADIENT_NORMS: GRADIENT_NORMS,
    f"{REFIT}/{HISTORY}": REFIT_HISTORY,
    TRACKING: TRACKING,
}


class UnfinishedTraining:
    """The folder `.NAME.training` beside the run NAME: options, checkpoints, history and logs.

    Only one process at a time trains for a run. It locks a file, and the system releases the lock
    when the process ends, however it ends.

    Nothing is removed that the suite has not written: neither from this folder nor from the run
    that the new one replaces.

    With several seeds the folder `seeds` holds the training with each of them, and then its run;
    `refit` holds the second training, on training and validation split.

    Args:
        run: the path of the run folder; that one is not touched before `publishing`.
        whole: the training with several seeds that this one is a part of, or None.
    """

    def __init__(self, run: Path, whole: "UnfinishedTraining | None" = None):
        self.name: str | Path = f"{whole.name}, seed {run.name}" if whole else run
        self.whole = whole
        self.run = Path(os.path.realpath(run))
        self.path = self.run.with_name(f".{self.run.name}.training")
        self._new, self._former = self.path / NEW, self.path / FORMER
        # TensorFlow writes it after the first checkpoint, and anew after each.
        self._checkpoint_list = self.path / CHECKPOINTS / "checkpoint"

    def member(self, seed: int) -> "UnfinishedTraining":
        """Returns the training with one of several seeds."""
        return UnfinishedTraining(self.path / SEEDS / str(seed), self)

    @property
    def resumable(self) -> bool:
        """Whether there is a checkpoint to resume from, or one of several seeds has a checkpoint or
        a run."""
        return (
            self._checkpoint_list.is_file()
            or bool(RunFolder(self.path).members())
            or any(self.path.glob(f"{SEEDS}/*/{CHECKPOINTS}/checkpoint"))
        )

    def describe(self, application: str) -> RunDescription:
        """Returns what its `config.json` says.

        Raises:
            UserError: there is nothing to go on from, or it is damaged or of another application.
        """
        if not self.resumable:
            raise UserError(
                f"no unfinished training of {self.name} has a checkpoint to resume from. "
                "Train without --resume, or check --run"
            )
        path = self.path / CONFIG
        try:
            description = RunDescription.from_json({"format": FORMAT, **read_object(path)})
        except (Damaged, ValueError):
            raise _damaged(path) from None
        provenance = description.provenance
        if not isinstance(provenance.command, str) or not isinstance(provenance.versions, dict):
            raise _damaged(path)
        if description.application != application:
            raise UserError(
                f"{self.path} is a training of {description.application!r}, not of "
                f"{application!r}. Check --run"
            )
        return description

    def way_on(self, application: str) -> str:
        """Returns a sentence with the command that resumes the training."""
        if not self.resumable:
            return "There is no checkpoint to resume from"
        command = command_line(application, "train", "--resume", "--run", self.name)
        return f"Resume with: {command}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Locks the folder for this process, and removes it if it has no checkpoint in the end.

        Raises:
            UserError: another process holds it, it cannot be written, or something is in it that
                is not of a training.
        """
        self._check_own()
        with explain_write_errors(self.path):
            lock = self._lock()
        try:
            with explain_write_errors(self.path):
                self._recover()
            yield
        finally:
            if not self.resumable:
                self.discard()
            os.close(lock)

    def check_discarded(self, restart: bool) -> None:
        """Refuses to begin anew while there is something to resume.

        Raises:
            UserError: there is, and the user did not say that it is to be discarded.
        """
        if self.resumable and not restart:
            raise UserError(
                f"{self.name} has an unfinished training. Resume it with --resume, or discard it "
                "with --restart"
            )

    def begin(self, restart: bool) -> None:
        """Empties the folder for a new training.

        Raises:
            UserError: it can be resumed and the user did not say that it shall not.
        """
        self.check_discarded(restart)
        self._forget()
        remove_known(self.path, {name: inner for name, inner in TRAINING.items() if name != LOCK})

    @contextmanager
    def publishing(self) -> Iterator[RunFolder]:
        """Yields a new run folder with history and logs, which then replaces the run as a whole.

        What a user has put into the former run moves into the new one.

        Raises:
            UserError: it cannot be written, or something else is in the run's place by now.
        """
        with explain_write_errors(self.run):
            self._clear(self._new)
            self._new.mkdir()
            try:
                for name, published in _PUBLISHED.items():
                    if (self.path / name).exists():
                        shutil.copy(self.path / name, self._new / published)
                if (self.path / LOGS).exists():
                    shutil.copytree(self.path / LOGS, self._new / LOGS)
                yield RunFolder(self._new)
                RunFolder(self.run).check_run()
                if self.run.exists():
                    shutil.copymode(self.run, self._new)
                sync_tree(self._new)
                # Nobody shall write metrics of the former model into the new run.
                with RunFolder(self.run).locked() if self.run.is_dir() else nullcontext():
                    take_place(self._new, self.run, self._former)
                # The checkpoints are removed next.
                sync_names(self.run.parent)
            finally:
                self._recover()

    def discard(self) -> None:
        """Removes the folder, beginning with what makes it resumable."""
        self._forget()
        remove_known(self.path, TRAINING)

    def put_back(self) -> None:
        """Puts the run back if a training was killed while it replaced it."""
        if self.run.exists() or not self._former.is_dir():
            return
        # If another process has the lock, it is about to do so, or to put a new run there.
        with suppress(UserError, OSError):
            lock = self._lock()
            try:
                self._recover()
            finally:
                os.close(lock)

    def _forget(self) -> None:
        """Makes the folder one that cannot be resumed: it may be removed in part only."""
        self._checkpoint_list.unlink(missing_ok=True)
        if (self.path / SEEDS).exists():
            discarded = self.path / DISCARDED
            remove_known(discarded, MEMBERS)
            os.rename(self.path / SEEDS, discarded)

    def _check_own(self) -> None:
        if self.path.is_symlink():
            raise UserError(f"{self.path} is a link. Remove it, or choose another --run")
        # What a user has put into a run that was replaced goes into the new one.
        runs = (f"{NEW}/", f"{FORMER}/")
        others = [path for path in find_foreign(self.path, TRAINING) if not path.startswith(runs)]
        if others:
            raise UserError(
                f"{self.path} holds other files than a training: {others[0]}. Move them, or choose "
                "another --run"
            )

    def _lock(self) -> int:
        path = self.path / LOCK
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            # The owner of the lock may remove the folder meanwhile: then this one locks nothing.
            with suppress(FileNotFoundError):
                lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
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
        """Finishes, or undoes, what a killed process had begun to publish."""
        if self._former.exists() and not self.run.exists():
            os.rename(self._former, self.run)
        self._clear(self._former)
        self._clear(self._new)

    def _clear(self, folder: Path) -> None:
        """Removes a run that was replaced, or is not whole; the user's files in it go to the run
        that is in place."""
        if folder.is_dir() and self.run.is_dir():
            kept = rescue_foreign(folder, RUN, self.run)
            if kept:
                warn(f"kept in {self.run}: {', '.join(kept)}")
        remove_known(folder, RUN)


def _damaged(path: Path) -> UserError:
    return UserError(f"{path} is damaged. Train anew with --restart")
