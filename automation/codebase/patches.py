"""A patch: the files of a repository before and after a change."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import os
import stat
import tempfile
import tokenize
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path, PurePosixPath

from automation.errors import EditRefused, StaleSource, WorkspaceFailed

_CONTEXT_LINES = 3
_NEW_FILE_MODE = 0o666
# As difflib's: what to do, and the lines before and after that it is about.
_Operation = tuple[str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after; None where it does not exist."""

    path: str
    before: bytes | None
    after: bytes | None

    def replaced_lines(self) -> tuple[tuple[range, range], ...]:
        """Return the blocks of lines that differ, each as its lines before and its lines after, from 1.

        Either range of a block is empty where lines are only added or only removed; it then starts at the line that
        would follow.
        """
        return tuple(
            (range(a_start + 1, a_end + 1), range(b_start + 1, b_end + 1))
            for tag, a_start, a_end, b_start, b_end in _opcodes(split_lines(self.before), split_lines(self.after))
            if tag != "equal"
        )


@dataclass(frozen=True, slots=True)
class Patch:
    """Changed files, by path relative to the repository with forward slashes."""

    changes: tuple[FileChange, ...]

    @classmethod
    def of(cls, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> Patch:
        """Return the patch that leads from one set of files to another; equal files are left out."""
        paths = sorted({*before, *after})
        changes = (FileChange(path, before.get(path), after.get(path)) for path in paths)
        return cls(tuple(change for change in changes if change.before != change.after))

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that change."""
        return tuple(change.path for change in self.changes)

    def diff(self) -> str:
        """Return a unified diff as ``git apply`` reads it, once encoded as UTF-8.

        A file that is not UTF-8 is a binary patch, which is exact; where it is text in the encoding that it declares,
        the same change stands before it as readable lines behind ``#``, which ``git apply`` skips.
        """
        return "".join(_file_diff(change) for change in self.changes)

    def apply(self, root: Path) -> None:
        """Write the files after the change under a folder, all or none; modes stay and symbolic links are followed.

        Raises
        ------
        StaleSource
            When a file is not what the patch was made for; nothing is written then.
        EditRefused
            When a path leads out of the folder or into ``.git``.
        WorkspaceFailed
            When a file cannot be written; what was written is put back.
        """
        targets = [(change, _fresh_target(root, change)) for change in self.changes]
        made: list[Path] = []
        staged: list[tuple[FileChange, Path, Path | None]] = []
        done: list[tuple[FileChange, Path]] = []
        try:
            for change, target in targets:
                staged.append((change, target, None if change.after is None else _stage(target, change.after, made)))
            for change, target, temporary in staged:
                if temporary is None:
                    target.unlink()
                else:
                    temporary.replace(target)
                done.append((change, target))
        except OSError as error:
            _put_back(done)
            raise WorkspaceFailed(f"cannot write under {root}: {error}; nothing was changed") from error
        finally:
            for _, _, temporary in staged:
                if temporary is not None:
                    temporary.unlink(missing_ok=True)
            for folder in reversed(made):
                if not any(folder.iterdir()):
                    folder.rmdir()


def _fresh_target(root: Path, change: FileChange) -> Path:
    target = resolve_inside(root, change.path)
    found = target.read_bytes() if target.is_file() else None
    if found != change.before or (change.before is None and target.exists()):
        raise StaleSource(f"{root / change.path} changed since the patch was made; run the repair again")
    return target


def resolve_inside(root: Path, path: str) -> Path:
    """Return where a path of a patch really lies under a folder, with symbolic links followed.

    Raises
    ------
    EditRefused
        When it leads out of the folder or into ``.git``.
    """
    base = root.resolve()
    target = (base / path).resolve()
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or not target.is_relative_to(base) or target == base:
        raise EditRefused(f"{path!r} leads out of {root}; a patch may only name files inside it")
    if ".git" in target.relative_to(base).parts or ".git" in parts:
        raise EditRefused(f"{path!r} lies in git's own folder, which no patch may change")
    return target


def split_lines(content: bytes | None) -> list[bytes]:
    """Return a file's lines with their ends, split as git does: after line feeds only."""
    return (content or b"").splitlines(keepends=True) if b"\r" not in (content or b"") else _split_feeds(content or b"")


def _split_feeds(content: bytes) -> list[bytes]:
    parts = content.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _stage(target: Path, content: bytes, made: list[Path]) -> Path:
    missing = list(itertools.takewhile(lambda folder: not folder.exists(), target.parents))
    for folder in reversed(missing):
        folder.mkdir()
        made.append(folder)
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        temporary.chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else _NEW_FILE_MODE & ~_umask())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _put_back(done: Sequence[tuple[FileChange, Path]]) -> None:
    for change, target in reversed(done):
        if change.before is None:
            target.unlink()
        else:
            target.write_bytes(change.before)


def _file_diff(change: FileChange) -> str:
    old, new = (_quoted(f"{side}/{change.path}") for side in "ab")
    header = [f"diff --git {old} {new}\n"]
    if change.before is None:
        header.append("new file mode 100644\n")
    elif change.after is None:
        header.append("deleted file mode 100644\n")
    contents = [content for content in (change.before, change.after) if content is not None]
    if not all(_is_plain_text(content) for content in contents):
        return "".join([*_readable(change), *header, *_binary(change)])
    hunks = list(_hunks(split_lines(change.before), split_lines(change.after)))
    if hunks:
        header.append(f"--- {_in_header(old) if change.before is not None else '/dev/null'}\n")
        header.append(f"+++ {_in_header(new) if change.after is not None else '/dev/null'}\n")
    return "".join(header) + b"".join(hunks).decode()


def _hunks(before: Sequence[bytes], after: Sequence[bytes]) -> Iterator[bytes]:
    for group in _grouped(_opcodes(before, after)):
        old = _span(group[0][1], group[-1][2])
        new = _span(group[0][3], group[-1][4])
        yield f"@@ -{old} +{new} @@\n".encode()
        for tag, a_start, a_end, b_start, b_end in group:
            if tag == "equal":
                yield from (_line(b" ", line) for line in before[a_start:a_end])
                continue
            yield from (_line(b"-", line) for line in before[a_start:a_end])
            yield from (_line(b"+", line) for line in after[b_start:b_end])


def _line(sign: bytes, line: bytes) -> bytes:
    return sign + (line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n")


def _span(start: int, end: int) -> str:
    length = end - start
    return f"{start + 1 if length else start},{length}"


def _opcodes(before: Sequence[bytes], after: Sequence[bytes]) -> list[_Operation]:
    # Equal heads and tails are cut off first: difflib is quadratic, and its own heuristic for long files is coarse.
    shorter = min(len(before), len(after))
    head = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    room = shorter - head
    tail = next((i for i in range(room) if before[-1 - i] != after[-1 - i]), room)
    end_a, end_b = len(before) - tail, len(after) - tail
    matcher = SequenceMatcher(None, before[head:end_a], after[head:end_b], autojunk=False)
    middle = [(tag, a + head, b + head, c + head, d + head) for tag, a, b, c, d in matcher.get_opcodes()]
    first = [("equal", 0, head, 0, head)] if head else []
    last = [("equal", end_a, len(before), end_b, len(after))] if tail else []
    return [*first, *middle, *last]


def _grouped(opcodes: list[_Operation]) -> Iterator[list[_Operation]]:
    group: list[_Operation] = []
    for place, (tag, a, b, c, d) in enumerate(opcodes):
        if tag != "equal":
            group.append((tag, a, b, c, d))
            continue
        is_last = place == len(opcodes) - 1
        if group and (is_last or b - a > 2 * _CONTEXT_LINES):
            end = min(b - a, _CONTEXT_LINES)
            yield [*group, (tag, a, a + end, c, c + end)]
            group = []
        if not is_last:
            start = min(b - a, _CONTEXT_LINES) if not group else b - a
            group.append((tag, b - start, b, d - start, d))
    if group:
        yield group


def _is_plain_text(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


def _readable(change: FileChange) -> Iterator[str]:
    try:
        texts = [_decoded(content) for content in (change.before, change.after)]
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return
    yield f"# {_quoted(change.path)} as text:\n"
    before, after = (split_lines(text.encode()) for text in texts)
    for hunk in _hunks(before, after):
        yield "# " + hunk.decode().replace("\n\\", "\n# \\")


def _decoded(content: bytes | None) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content or b"").readline)
    text = (content or b"").decode(encoding)
    if "\0" in text:
        raise UnicodeDecodeError(encoding, content or b"", 0, 1, "is binary")
    return text


def _binary(change: FileChange) -> Iterator[str]:
    # git verifies a binary patch by the blobs' names, so the index line has to hold them in full.
    yield f"index {_blob_name(change.before)}..{_blob_name(change.after)}\n"
    yield "GIT binary patch\n"
    yield from _literal(change.after or b"")
    yield from _literal(change.before or b"")


def _blob_name(content: bytes | None) -> str:
    if content is None:
        return "0" * 40
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _literal(content: bytes) -> Iterator[str]:
    yield f"literal {len(content)}\n"
    packed = zlib.compress(content)
    for start in range(0, len(packed), 52):
        chunk = packed[start : start + 52]
        length = chr(ord("A") + len(chunk) - 1) if len(chunk) <= 26 else chr(ord("a") + len(chunk) - 27)
        yield length + base64.b85encode(chunk, pad=True).decode() + "\n"
    yield "\n"


def _in_header(name: str) -> str:
    # Without the tab, git would take a blank in a name for the end of the name.
    return f"{name}\t" if " " in name and not name.startswith('"') else name


def _quoted(name: str) -> str:
    raw = os.fsencode(name)
    if all(byte >= 32 and byte not in b'"\\\x7f' for byte in raw) and _is_plain_text(raw):
        return name
    escapes = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
    parts = (
        f"\\{escapes[byte]}" if byte in escapes else chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in raw
    )
    return '"' + "".join(parts) + '"'
