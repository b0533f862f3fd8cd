"""Zip files that are the same, byte for byte, whenever they are made from the same content."""

import zipfile
from collections.abc import Mapping
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
