"""The store of checkpoints of trials that have not ended: a folder or an object store that every node reaches."""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType, LocalFileSystem, copy_files

from infogan_bench.errors import InputError
from infogan_bench.records import replacing_folder

log = logging.getLogger(__name__)

_RUN = "run-"
_HINT = (
    "Each process takes credentials from its environment (AWS_ACCESS_KEY_ID and so on), and so the address of a "
    "server that speaks S3 (AWS_ENDPOINT_URL)"
)


@dataclass(frozen=True)
class CheckpointStore:
    """`run-N/TRIAL/checkpoint_K`, a folder for each stretch N of a sweep, each trial and each save of it.

    It can be pickled. The process that receives it opens it again with its own credentials.
    """

    place: str  # as the user named it
    filesystem: FileSystem
    path: str  # path of the sweep's own folder on the storage

    @classmethod
    def in_folder(cls, folder: Path) -> CheckpointStore:
        """A folder on this machine, or on a disk that all machines share."""
        return cls(str(folder), LocalFileSystem(), str(folder.resolve()))

    @classmethod
    def at(cls, place: str, sweep: str) -> CheckpointStore:
        """The folder of `sweep`, a name that no other sweep has, at `place`: a folder, or a URI that pyarrow knows.

        Raises:
            InputError: if the URI cannot be understood, or names a server that does not answer.
        """
        if "://" not in place:
            return cls(place, LocalFileSystem(), str((Path(place) / sweep).absolute()))
        try:
            filesystem, path = FileSystem.from_uri(place)
        except (OSError, ValueError, NotImplementedError, ImportError) as error:
            raise InputError(_unusable(place, error)) from None
        return cls(place, filesystem, f"{path.rstrip('/')}/{sweep}")

    @property
    def is_folder(self) -> bool:
        """Say whether it is a folder, so that its files can be read where they are."""
        return isinstance(self.filesystem, LocalFileSystem)

    @contextmanager
    def marked(self) -> Iterator[str]:
        """The path of a file that exists inside this context, by which another machine checks that it sees this
        storage.

        Raises:
            InputError: if nothing can be written there.
        """
        marker = f"{self.path}/.seen-{uuid.uuid4().hex}"
        with self.required():
            self.filesystem.create_dir(self.path)
            self.write(marker)
        try:
            yield marker
        finally:
            with suppress(OSError):
                self.filesystem.delete_file(marker)

    @contextmanager
    def required(self) -> Iterator[None]:
        """Turn a fault of the storage inside this context into an InputError."""
        try:
            yield
        except OSError as error:
            raise InputError(_unusable(self.place, error)) from None

    def write(self, path: str) -> None:
        """Write a small file."""
        with self.filesystem.open_output_stream(path) as file:
            file.write(b"infogan-bench")

    def sees(self, path: str) -> bool:
        """Say whether there is a file at `path`."""
        return bool(self.filesystem.get_file_info(path).type == FileType.File)

    def new_run(self) -> str:
        """The name of the next stretch of the sweep."""
        return f"{_RUN}{max(map(_number, self._runs()), default=0) + 1}"

    def trials(self) -> set[str]:
        """The trials that have files here."""
        return {info.base_name for run in self._runs() for info in self._folders(f"{self.path}/{run}")}

    def saved(self, trial_id: str) -> list[str]:
        """The paths of a trial's checkpoints, whole or not, the newest first."""
        return [
            info.path
            for run in sorted(self._runs(), key=_number, reverse=True)
            for info in sorted(
                self._folders(f"{self.path}/{run}/{trial_id}"), key=lambda info: info.base_name, reverse=True
            )
            if info.base_name.startswith("checkpoint_")
        ]

    @contextmanager
    def at_hand(self, checkpoint: str) -> Iterator[Path]:
        """A checkpoint as a folder on this machine, which must not be changed."""
        if self.is_folder:
            yield Path(checkpoint)
            return
        with TemporaryDirectory(prefix="checkpoint-") as folder:
            copy_files(checkpoint, folder, source_filesystem=self.filesystem)
            yield Path(folder)

    def fetch(self, checkpoint: str, target: Path) -> None:
        """Copy a checkpoint to the folder `target` on this machine, which it replaces. It appears whole.

        The checkpoint stays here until `forget` or `remove`, so that a process that is killed meanwhile loses nothing.
        """
        with replacing_folder(target) as new:
            if self.is_folder:
                shutil.copytree(checkpoint, new, copy_function=_link_or_copy, dirs_exist_ok=True)
            else:
                copy_files(checkpoint, str(new), source_filesystem=self.filesystem)

    def add(self, trial_id: str, folder: Path) -> str:
        """Copy a checkpoint from a folder on this machine, as the newest of a trial.

        Returns:
            Its path.
        """
        path = f"{self.path}/{self.new_run()}/{trial_id}/checkpoint_0"
        upload(folder, self.filesystem, path)
        return path

    def take_over(self, other: CheckpointStore) -> None:
        """Move everything from `other` here.

        Raises:
            OSError: if it cannot be read there, or written here.
        """
        if other._runs():
            self.filesystem.create_dir(self.path)
            copy_files(other.path, self.path, source_filesystem=other.filesystem,
                       destination_filesystem=self.filesystem)  # fmt: skip
            other.clear()

    def forget(self, trial_id: str) -> None:
        """Remove all checkpoints of a trial."""
        for run in self._runs():
            self.remove(f"{self.path}/{run}/{trial_id}")

    def clear(self) -> None:
        """Remove everything that the sweep has here."""
        self.remove(self.path)

    def remove(self, path: str) -> None:
        """Remove a folder if it exists. A folder that cannot be removed stays, and a line is logged."""
        try:
            if self.filesystem.get_file_info(path).type == FileType.Directory:
                self.filesystem.delete_dir(path)
        except OSError as error:
            log.warning("%s stays: %s", path, error)

    def _runs(self) -> list[str]:
        return [info.base_name for info in self._folders(self.path) if info.base_name.startswith(_RUN)]

    def _folders(self, path: str) -> list[FileInfo]:
        found = self.filesystem.get_file_info(FileSelector(path, allow_not_found=True))
        return [info for info in found if info.type == FileType.Directory]


def upload(folder: Path, filesystem: FileSystem, path: str) -> None:
    """Copy a folder of this machine to `path`."""
    filesystem.create_dir(path)
    copy_files(str(folder), path, destination_filesystem=filesystem)


def _link_or_copy(source: str, target: str) -> None:
    """Give a file a second name, which takes no space; copy it where the disk has no such links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _number(run: str) -> int:
    digits = run.removeprefix(_RUN)
    return int(digits) if digits.isdigit() else 0


def _unusable(place: str, error: BaseException) -> str:
    what = str(error).splitlines()[0] if str(error) else type(error).__name__
    hint = f". {_HINT}" if place.startswith("s3://") else ""
    return f"storage: {place} cannot be used: {what}{hint}"
