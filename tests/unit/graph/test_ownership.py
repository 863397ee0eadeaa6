"""Which files are the project's own."""

from __future__ import annotations

from mlops_audit.graph.ownership import left_out

_SERVER = [f"src/server/part/module_{n}.py" for n in range(20)]


def test_metadata_below_a_licence_marks_vendored_code() -> None:
    """A folder with its own licence is foreign also where its parts hold the metadata."""
    paths = ["LICENSE", "app.py", "src/server/LICENSE", "src/server/part/pyproject.toml", *_SERVER]
    found = left_out(paths)
    assert "src/server/part/module_3.py" in found
    assert "app.py" not in found


def test_a_licence_below_is_the_projects_where_the_root_has_none() -> None:
    """A project that lives in a folder, licence included, is not left out."""
    paths = ["README.md", "project/LICENSE", "project/part/pyproject.toml"]
    paths += [f"project/part/module_{n}.py" for n in range(20)]
    assert not left_out(paths)


def test_a_part_that_repeats_the_licence_is_the_projects() -> None:
    """Packages of a monorepo carry its licence; another holder's licence marks vendored code."""
    paths = ["LICENSE", "core/LICENSE", "core/pyproject.toml", "other/LICENSE", "other/setup.py"]
    paths += [f"{folder}/module_{n}.py" for folder in ("core", "other") for n in range(20)]
    licences = {
        "LICENSE": "MIT License\n\nCopyright (c) 2023 Ada Lovelace\n",
        "core/LICENSE": "Copyright 2021-2024, Ada Lovelace. All rights reserved.\n",
        "other/LICENSE": "Copyright (c) 2019 Charles Babbage\n",
    }
    found = left_out(paths, text=licences.get)
    assert "other/module_3.py" in found
    assert "core/module_3.py" not in found


def test_a_licence_with_blanks_names_nobody() -> None:
    """The same text of a licence in two projects says nothing of who wrote them."""
    paths = ["LICENSE", "other/LICENSE", "other/setup.py"]
    paths += [f"other/module_{n}.py" for n in range(20)]
    text = "Apache License\n\nCopyright [yyyy] [name of copyright owner]\n"
    assert "other/module_3.py" in left_out(paths, text=lambda _path: text)


def test_an_empty_licence_makes_nothing_foreign() -> None:
    """The empty licence of a project template says of nobody that the code is theirs."""
    paths = ["LICENSE", "build/LICENSE", "build/setup.py"]
    paths += [f"build/module_{n}.py" for n in range(20)]
    licences = {"LICENSE": "Copyright (c) 2023 Ada Lovelace\n", "build/LICENSE": ""}
    assert not left_out(paths, text=licences.get)


def _inside(root: str) -> list[str]:
    return ["app.py", f"{root}/LICENSE", f"{root}/setup.py"] + [
        f"{root}/package/module_{n}.py" for n in range(20)
    ]


def test_a_package_that_the_ci_builds_is_the_projects() -> None:
    """A folder in which the repository's CI works is no vendored code, licence or not."""
    paths = [".circleci/config.yml", *_inside("packages/model")]
    ci = {".circleci/config.yml": "working_directory: ~/project/packages/model\n"}
    assert not left_out(paths, text=ci.get)
    assert "packages/model/setup.py" in left_out(paths, text=lambda _path: "run: pytest\n")


def test_sources_that_name_the_holder_of_the_whole_are_the_projects() -> None:
    """A part under another licence belongs to the same people where its sources say so."""
    paths = ["LICENSE", *_inside("build")]
    texts = {
        "LICENSE": "Copyright Ada, Inc. or its affiliates. All Rights Reserved.\n",
        "build/LICENSE": "Apache License\n",
        "build/package/module_7.py": "# Copyright 2020 Ada, Inc. or its affiliates.\n",
    }
    assert not left_out(paths, text=texts.get)
    texts["build/package/module_7.py"] = "# Copyright 2020 Charles Babbage\n"
    assert "build/setup.py" in left_out(paths, text=texts.get)


def test_metadata_that_names_nobody_is_a_template_of_the_projects() -> None:
    """A package whose author is still a placeholder is not another project."""
    paths = [*_inside("seed"), "seed/package/__version__.py"]
    texts = {"seed/package/__version__.py": '__author__ = "<Your Name>"\n'}
    assert not left_out(paths, text=texts.get)


def test_parts_that_are_called_after_one_thing_are_the_projects() -> None:
    """The model's package beside its service is no vendored code; a fork's name is its own."""
    service = ["packages/car_price_api/app.py", "packages/yolo_server/app.py"]
    assert not left_out([*_inside("packages/car_price_model"), *service])
    assert "packages/yolo_fork/setup.py" in left_out([*_inside("packages/yolo_fork"), *service])
