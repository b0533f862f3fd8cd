"""Write downloads: zip files that are the same, byte for byte, if their content is, and a word on the outcome."""

import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from labs.files import replacing

EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip file knows no earlier time


def write_zip(target: Path, files: Mapping[str, bytes | str | Path]) -> Path:
    """Write ``files`` into a zip file, sorted and with one fixed time; return its path.

    Args:
        target: the file to write; an old one is replaced when the new one is complete.
        files: content, or the path of a file that holds it, under each name. The name ``mimetype`` comes first and
            stays uncompressed, as EPUB wants it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_zip(Path(folder) / "a.zip", {"b/c.txt": "text", "mimetype": "x"})
        ...     zipfile.ZipFile(path).namelist()
        ['mimetype', 'b/c.txt']
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(files, key=lambda name: (name != "mimetype", name)):
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            content = files[name]
            archive.writestr(entry, content.read_bytes() if isinstance(content, Path) else content)
    return target


def report(make: Callable[[], Path], *troubles: type[Exception]) -> int:
    """Make a download and say where it lies and how large it is; returns the exit status.

    Args:
        make: writes the file and returns its path.
        troubles: what may go wrong beside the disk; its text is printed as an error, without a traceback.
    """
    try:
        path = make()
    except (OSError, *troubles) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return 0
