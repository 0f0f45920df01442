"""Reading records out of Parquet files, some at a time; pyarrow is loaded only here, when one is opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training_backend.errors import DatasetError

_ROWS = 1000  # to a batch


class ParquetRows:
    """The rows of an open Parquet file as dicts; `done` of `total` were read."""

    def __init__(self, path: Path) -> None:
        """Open the file; DatasetError when it is cut off or damaged."""
        import pyarrow
        from pyarrow import parquet

        self._failures = (pyarrow.ArrowException, OSError, ValueError)
        try:
            self._file = parquet.ParquetFile(path, memory_map=False, buffer_size=2**20, pre_buffer=False)
        except self._failures as error:
            raise DatasetError(f"The Parquet file is cut off or damaged ({_first_line(error)}).",
                               "Fetch it again.", where=str(path)) from error  # fmt: skip
        self.columns = list(self._file.schema_arrow.names)
        self.total = self._file.metadata.num_rows
        self.done = 0

    def rows(self) -> Iterator[dict[str, Any] | str]:
        """Yield every row; where no further one can be read, yield why and end."""
        try:
            for batch in self._file.iter_batches(batch_size=_ROWS):
                for row in batch.to_pylist():
                    self.done += 1
                    yield row
        except self._failures as error:
            yield f"the Parquet file is cut off or damaged ({_first_line(error)})"

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
