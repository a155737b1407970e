"""Python source files as they are on disk: text with its encoding, line ends and content hash."""

from __future__ import annotations

import hashlib
import io
import tokenize
from dataclasses import dataclass, replace
from pathlib import Path

from automation.errors import EditRefused, StaleSource


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file's content.

    Parameters
    ----------
    path : str
        Relative to the repository, with forward slashes.
    text : str
        Decoded, with the line ends as they are on disk.
    encoding : str
        What Python's own tokenizer detects; ``utf-8-sig`` when there is a byte order mark.
    """

    path: str
    text: str
    encoding: str = "utf-8"

    @property
    def content(self) -> bytes:
        """The bytes on disk."""
        return self.text.encode(self.encoding)

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes on disk, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def newline(self) -> str:
        """The line end used most."""
        crlf = self.text.count("\r\n")
        lone = self.text.count("\n") - crlf
        return "\r\n" if crlf > lone else "\n"

    def with_text(self, text: str) -> SourceFile:
        """Return the file with another text in the same encoding."""
        return replace(self, text=text)


def source_of(path: str, content: bytes) -> SourceFile:
    """Decode a file's bytes as Python does.

    Raises
    ------
    EditRefused
        When the bytes are not text in the encoding that they declare.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return SourceFile(path, content.decode(encoding), encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise EditRefused(f"{path} cannot be read as Python source: {error}") from error


def read_source(root: Path, path: str) -> SourceFile:
    """Read a file of a repository."""
    return source_of(path, (root / path).read_bytes())


def require_digest(source: SourceFile, expected: str | None) -> None:
    """Make sure that a file is the one that an edit was made for; None stands for any.

    Raises
    ------
    StaleSource
        When it is another.
    """
    if expected is not None and source.digest != expected:
        raise StaleSource(f"{source.path} changed since it was read; read it again and edit anew")
