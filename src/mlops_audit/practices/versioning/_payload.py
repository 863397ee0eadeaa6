"""What is data or a model by its name and, where that does not say, by its content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_audit.regex import regex

if TYPE_CHECKING:
    from mlops_audit.graph import Project

__all__ = ["is_payload", "may_be_payload"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PAYLOAD = _words(
    "csv tsv psv parquet pq feather arrow avro orc json jsonl ndjson xml sqlite sqlite3 db db3"
    " duckdb mdb pkl pickle joblib skops dill h5 hdf5 hdf keras pb pt pth ckpt safetensors onnx"
    " tflite mlmodel bin model weights npy npz mat rds rda rdata sav dta por xls xlsx xlsb ods"
    " gz bz2 xz zip tar tgz 7z rar zst lz4 wav mp3 flac ogg m4a aac arff libsvm svm data dat"
    " tfrecord tfrecords lmdb rec caffemodel gguf ggml geojson shp dbf nc grib tif tiff dcm nii"
    " las laz ply pcd fasta fastq vcf bam engine cbm ubj mar crc index vec bsp root edf fif"
)
_OTHER = _words(
    "ipynb png jpg jpeg gif svg webp bmp ico eps psd pdf ps ttf otf woff woff2 eot py pyi js"
    " jsx ts tsx css scss less html htm md rst tex bib drawio excalidraw ai fig lock map c cc"
    " cpp h hpp cu java go rs r rmd qmd jl scala sh bat sql proto yml yaml toml ini cfg so dll"
    " dylib a exe whl egg jar class o pptx ppt docx doc key odt odp mp4 mov avi mkv webm pot po"
    " wasm swf patch diff snap"
)
_LOCKS = regex(r"(^|/)(package-lock|npm-shrinkwrap|composer|tsconfig|Pipfile)[^/]*$")
_LEGAL = regex(r"licen[cs]e|notice|third.?party|attribution|copying|changelog", re.IGNORECASE)
_TEXTUAL = frozenset({"txt", "log", "out", "text", "", "conll", "iob", "tok"})
_HEAD = 4096  # bytes that decide


def may_be_payload(path: str) -> bool:
    """Whether a file of this name, its content unknown, could be data or a model."""
    suffix = _suffix(path)
    return suffix in _PAYLOAD and not _LOCKS.search(path)


def is_payload(project: Project, path: str) -> bool:
    """Whether a file is data or a model."""
    suffix = _suffix(path)
    if suffix in _OTHER or _LOCKS.search(path):
        return False
    if suffix in _PAYLOAD:
        return True
    if suffix in _TEXTUAL and _LEGAL.search(path.rsplit("/", 1)[-1]):
        return False  # the licences of all that is used make a long text
    head = project.tree.head(path, _HEAD)
    if not isinstance(head, bytes):
        return False
    if b"\0" in head or head[:2] in {b"\x80\x04", b"\x80\x03", b"\x80\x02", b"\x80\x05"}:
        return not head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"\x7fELF"))
    # A text of more than a megabyte that is no source code or document is a corpus or a table.
    return suffix in _TEXTUAL or suffix not in _OTHER


def _suffix(path: str) -> str:
    name = path.rsplit("/", 1)[-1].lower()
    stem, dot, suffix = name.rpartition(".")
    return suffix if dot and stem else ""
