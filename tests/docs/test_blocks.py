"""The reader of code blocks itself."""

from __future__ import annotations

import textwrap

from tests.docs.blocks import Command, commands_of, matches, parse

PAGE = textwrap.dedent(
    """\
    # Title

    <!-- setup: photos -->
    ```python
    print(1)
    ```

    <!-- output -->
    ```text
    1
    ```

    1. A list:

        <!-- not run: it installs things -->
        ```console
        $ pip install \\
            pathlake
        ```
    """
)


def test_blocks_are_found_with_their_comments() -> None:
    first, second, third = parse(PAGE)
    assert (first.language, first.text, first.line, first.setup) == ("python", "print(1)", 5, ("photos",))
    assert second.is_output
    assert second.text == "1"
    assert third.not_run == "it installs things"
    assert not third.setup


def test_commands_are_split_at_their_prompts() -> None:
    block = parse("```console\n$ echo a\na\n$ true\n$ echo \\\n  b\nb\n```\n")[0]
    assert commands_of(block) == [Command("echo a", "a"), Command("true", ""), Command("echo \\\n  b", "b")]


def test_dots_stand_for_anything_and_nothing_else_does() -> None:
    assert matches("a ... d", "a b\nc d  \n")
    assert not matches("a ... d", "a b c")
    assert not matches("a.b", "axb")
