"""Bytes by key: folders, git repositories, and what reads media headers out of them."""

from pathlake.storage.base import FileBatch, FileInfo, SkippedFile, Storage
from pathlake.storage.folder import open_folder
from pathlake.storage.git import git_default_branch, open_git
from pathlake.storage.ranged import RangedReader

__all__ = [
    "FileBatch",
    "FileInfo",
    "RangedReader",
    "SkippedFile",
    "Storage",
    "git_default_branch",
    "open_folder",
    "open_git",
]
