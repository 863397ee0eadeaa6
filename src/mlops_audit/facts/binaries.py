"""Whether a large tracked file is data or a model (practice VER04)."""

from __future__ import annotations

import posixpath
import re

from mlops_audit.regex import regex

__all__ = ["LARGE", "SNIFFED", "data_or_model"]

LARGE = 1024 * 1024  # bytes; the catalogue's limit for data and models in plain git
SNIFFED = 1024  # bytes of a file's head that the decision needs where the name does not say

_MODEL = frozenset(
    {
        "pkl", "pickle", "joblib", "dill", "h5", "hdf5", "keras", "pt", "pth", "ckpt", "onnx",
        "pb", "tflite", "safetensors", "bin", "gguf", "ggml", "model", "mlmodel", "cbm", "bst",
        "ubj", "xgb", "npz", "weights", "caffemodel", "params", "msgpack", "mar", "torchscript",
        "pmml", "pdparams", "pdmodel", "engine", "trt", "vec", "ftz", "zarr", "sav", "rds",
        "rda", "rdata", "mat", "t7", "ptl",
    }
)  # fmt: skip
_DATA = frozenset(
    {
        "csv", "tsv", "parquet", "pq", "feather", "arrow", "avro", "orc", "json", "jsonl", "ndjson",
        "geojson", "xml", "npy", "tfrecord", "tfrecords", "sqlite", "sqlite3", "db", "duckdb",
        "mdb", "xls", "xlsx", "xlsb", "ods", "sas7bdat", "dta", "sav", "por", "dat", "data",
        "arff", "libsvm", "svm", "zip", "gz", "tgz", "tar", "bz2", "xz", "7z", "rar", "zst",
        "lz4", "wav", "mp3", "flac", "ogg", "m4a", "aac", "mid", "midi", "lmdb", "idx", "nc",
        "grib", "shp", "dbf", "gpkg", "las", "laz", "ply", "pcd", "dcm", "nii", "fasta",
        "fastq", "bam", "vcf", "pcap", "record", "rec", "log", "txt",
    }
)  # fmt: skip
# Not meant by the practice: pictures, documents, fonts, notebooks, films, code and their kind.
_OTHER = frozenset(
    {
        "ipynb", "png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "tif", "tiff", "psd",
        "ai", "eps", "heic", "pdf", "ps", "doc", "docx", "ppt", "pptx", "odt", "odp", "key",
        "ttf", "otf", "woff", "woff2", "eot", "mp4", "mov", "avi", "mkv", "webm", "m4v", "py",
        "pyi", "pyx", "js", "mjs", "ts", "tsx", "jsx", "css", "scss", "html", "htm", "map",
        "md", "rst", "tex", "bib", "c", "cc", "cpp", "h", "hpp", "cu", "java", "scala", "go",
        "rs", "rb", "r", "jl", "sh", "lock", "so", "dll", "dylib", "exe", "whl", "jar", "class",
        "wasm", "dvc", "po", "mo", "proto", "ino", "sol", "sql", "drawio", "graffle",
    }
)  # fmt: skip
_SETTINGS = regex(
    r"(?:^|/)(?:package-lock|composer|tsconfig|renovate|swagger|openapi)[\w.-]*\.json$"
    r"|\.(?:lock|min)\.json$|(?:^|/)\.[\w-]+/[\w./-]*\.json$"
)
_POINTERS = (b"version https://git-lfs.github.com/spec/", b"/annex/objects/")
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "data"), (b"ARROW1", "data"), (b"SQLite format 3\x00", "data"), (b"\x89HDF", "model"),
    (b"\x93NUMPY", "data"), (b"PK\x03\x04", "data"), (b"\x1f\x8b", "data"), (b"BZh", "data"),
    (b"\xfd7zXZ", "data"), (b"7z\xbc\xaf", "data"), (b"RIFF", "data"), (b"Obj\x01", "data"),
    (b"ORC", "data"), (b"GGUF", "model"), (b"\x80\x02", "model"), (b"\x80\x03", "model"),
    (b"\x80\x04", "model"), (b"\x80\x05", "model"), (b"fLaC", "data"), (b"ID3", "data"),
    (b"OggS", "data"), (b"\x28\xb5\x2f\xfd", "data"), (b"CatBoost", "model"),
)  # fmt: skip
_OTHER_MAGIC = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"\x7fELF", b"#!", b"wOFF", b"wOF2", b"OTTO",
    b"\x00\x01\x00\x00\x00", b"BM", b"II*\x00", b"MM\x00*", b"%!PS", b"<svg", b"<!DOCTYPE",
    b"<html",
)  # fmt: skip
_ROWS = re.compile(rb"^[^\n,;\t]{0,200}(?:[,;\t][^\n,;\t]{0,200}){2,}$", re.MULTILINE)


def data_or_model(path: str, head: bytes) -> str | None:
    """Tell what a file holds by its name, and by its first bytes where the name does not say.

    Args:
        path: the file's path.
        head: its first bytes (`SNIFFED` are enough; empty where they cannot be read).

    Returns:
        `data`, `model`, or None for anything that the practice does not mean: LFS and annex
        pointers, `.dvc` files, notebooks, pictures, documents, fonts, films, code, settings.
    """
    if head.startswith(_POINTERS):
        return None
    name = posixpath.basename(path).lower()
    suffix = name.rsplit(".", 1)[-1] if "." in name.lstrip(".") else ""
    if suffix in _OTHER or _SETTINGS.search(path):
        return None
    if suffix in {"txt", "log", "dat", "bin", "data", ""} or suffix not in _MODEL | _DATA:
        return _sniffed(head, suffix)
    if suffix == "db" and not head.startswith(b"SQLite"):
        return "data"
    return "model" if suffix in _MODEL else "data"


def _sniffed(head: bytes, suffix: str) -> str | None:
    if head.startswith(_OTHER_MAGIC):
        return None
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if b"ustar" in head[257:265]:
        return "data"
    if suffix == "bin":
        return "model"
    if suffix in {"dat", "data", "txt", "log"}:
        return "data"
    if b"\x00" in head:
        return "data"
    if head.lstrip()[:1] in {b"{", b"["} and b'"' in head:
        return "data"
    return "data" if len(_ROWS.findall(head)) >= 3 else None  # noqa: PLR2004 -- rows of a table
