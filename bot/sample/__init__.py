"""The sample desk: Fernway, a company of 400 people in London, Seoul and Taipei.

`deskbell demo` and `deskbell ask` run on it, `deskbell init` writes a copy to start from.
"""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".yaml", ".json", ".md")


def files() -> Path:
    """The folder that holds the sample's desk.yaml, its schema and `kb/`."""
    return Path(__file__).parent


def write_sample(directory: Path) -> tuple[list[Path], list[Path]]:
    """Copy the sample into `directory`, made if need be.

    Returns the files written and the files kept because they were there before: nothing is ever
    overwritten. Raises OSError when the directory cannot be written.
    """
    written: list[Path] = []
    kept: list[Path] = []
    for source in sorted(file for file in files().rglob("*") if file.suffix in SUFFIXES):
        target = directory / source.relative_to(files())
        target.parent.mkdir(parents=True, exist_ok=True)
        (written if _copy(source, target) else kept).append(target)
    return written, kept


def _copy(source: Path, target: Path) -> bool:
    try:
        with target.open("xb") as new:
            new.write(source.read_bytes())
    except FileExistsError:
        return False
    return True
