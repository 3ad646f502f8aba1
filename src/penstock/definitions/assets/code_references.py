"""Notes in the metadata of assets where their code is: in a local file, or in a hosted repository."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote, urlsplit

from ...errors import DefinitionError
from ...records.code_reference import CodeReference, LocalFileCodeReference, UrlCodeReference
from ...records.metadata import CodeReferencesMetadataValue
from .definition import AssetsDefinition
from .map_specs import mapped
from .spec import AssetSpec

__all__ = [
    "CODE_REFERENCES",
    "AnchorBasedFilePathMapping",
    "FilePathMapping",
    "link_code_references_to_git",
    "with_source_code_references",
]

CODE_REFERENCES = "penstock/code_references"
"""The label under which an asset's metadata says where its code is."""

Platform: TypeAlias = Literal["github", "gitlab"]
_Given: TypeAlias = AssetsDefinition | AssetSpec


def with_source_code_references(assets_defs: Iterable[_Given]) -> list[_Given]:
    """Definitions whose metadata says in which file and line their functions are; specs stay as they are.

    Args:
        assets_defs: Definitions, and specs of assets that others make.
    """
    return [_with_source(each) if isinstance(each, AssetsDefinition) else each for each in assets_defs]


def _with_source(definition: AssetsDefinition) -> AssetsDefinition:
    source = definition.source
    if source is None:
        return definition
    here = LocalFileCodeReference(file_path=os.path.abspath(source.file), line_number=source.line)  # noqa: PTH100 - a link stays one
    return mapped(
        definition, lambda spec: _with_references(spec, [here, *(each for each in _of(spec) if each != here)])
    )


class FilePathMapping(ABC):
    """Says where a local file is in a repository."""

    @abstractmethod
    def convert_to_source_control_path(self, local_path: Path) -> str:
        """The path in the repository, from its root, with `/` between its parts.

        Args:
            local_path: The local file.
        """


class AnchorBasedFilePathMapping(FilePathMapping):
    """Finds a file in a repository by its way from one file whose places are both known.

    Args:
        local_file_anchor: That file as it is here, for example `Path(__file__)`.
        file_anchor_path_in_repository: Its path in the repository, for example `src/project/definitions.py`.
    """

    def __init__(self, local_file_anchor: Path, file_anchor_path_in_repository: str) -> None:
        self.local_file_anchor = Path(local_file_anchor)
        self.file_anchor_path_in_repository = file_anchor_path_in_repository

    def convert_to_source_control_path(self, local_path: Path) -> str:
        """The path in the repository.

        Raises:
            DefinitionError: The file lies outside of the repository.
        """
        way = os.path.relpath(local_path, self.local_file_anchor.parent)
        path = os.path.normpath(os.path.join(os.path.dirname(self.file_anchor_path_in_repository), way))  # noqa: PTH118, PTH120 - paths of another machine
        path = path.replace(os.sep, "/").lstrip("/")
        if path.startswith("../"):
            raise DefinitionError(
                f"{local_path} lies outside of the repository in which {self.local_file_anchor} is "
                f"{self.file_anchor_path_in_repository}; give the anchor's whole path in the repository."
            )
        return path


def link_code_references_to_git(
    assets_defs: Iterable[_Given],
    git_url: str,
    git_branch: str,
    file_path_mapping: FilePathMapping,
    platform: Platform | None = None,
) -> list[_Given]:
    """Definitions and specs whose local code references are links into a hosted repository.

    Args:
        assets_defs: Definitions and specs, for example as `with_source_code_references` gives them.
        git_url: The repository's address, for example `https://github.com/shop/data`.
        git_branch: The branch, tag or commit.
        file_path_mapping: Says where a local file is in the repository.
        platform: `github` or `gitlab`; told by the address's host if not given.

    Raises:
        DefinitionError: The address is none of the web, or its host does not say which platform it is.
    """
    make = _Links(git_url, git_branch, file_path_mapping, platform)

    def linked(spec: AssetSpec) -> AssetSpec:
        references = _of(spec)
        local = any(isinstance(each, LocalFileCodeReference) for each in references)
        return _with_references(spec, [make.link(each) for each in references]) if local else spec

    return [mapped(each, linked) if isinstance(each, AssetsDefinition) else linked(each) for each in assets_defs]


class _Links:
    def __init__(self, url: str, branch: str, mapping: FilePathMapping, platform: Platform | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DefinitionError(
                f"The git_url {url!r} is no address that a browser opens; give one like https://github.com/shop/data."
            )
        known: Sequence[Platform] = ("github", "gitlab")
        told = platform or next((each for each in known if each in (parts.hostname or "")), None)
        if told not in known:
            raise DefinitionError(
                f"The git_url {url!r} does not say whether it is GitHub or GitLab; give platform='github' or 'gitlab'."
                if platform is None
                else f"The platform {platform!r} is not known; give 'github' or 'gitlab'."
            )
        between = "/tree/" if told == "github" else "/-/tree/"
        self._root = url.rstrip("/").removesuffix(".git") + between + quote(branch)
        self._mapping = mapping

    def link(self, reference: CodeReference) -> CodeReference:
        if isinstance(reference, UrlCodeReference):
            return reference
        path = quote(self._mapping.convert_to_source_control_path(Path(reference.file_path)))
        line = f"#L{reference.line_number}" if reference.line_number is not None else ""
        return UrlCodeReference(url=f"{self._root}/{path}{line}", label=reference.label)


def _of(spec: AssetSpec) -> list[CodeReference]:
    given = spec.metadata.get(CODE_REFERENCES)
    return given.code_references if isinstance(given, CodeReferencesMetadataValue) else []


def _with_references(spec: AssetSpec, references: list[CodeReference]) -> AssetSpec:
    return spec.merge_attributes(metadata={CODE_REFERENCES: CodeReferencesMetadataValue(code_references=references)})
