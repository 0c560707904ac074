from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml

from infogan_bench.config import ConfigError, read_yaml
from infogan_bench.config.yaml_file import MAX_NODES, write_yaml


def _error(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    return str(caught.value).replace(str(path), "FILE")


# The values in the tables of YAML 1.2.2, section 10.3.2, and what YAML 1.1 would have made of the others.
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E+0", 1.0),
        ("1e5", 100000.0),
        ("-2e3", -2000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("12e03", 12000.0),
        ("-2E+05", -200000.0),
        ("0.", 0.0),
        ("-0.0", 0.0),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("0", 0),
        ("+19", 19),
        ("010", 10),
        ("0o7", 7),
        ("0x3A", 58),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("1e", "1e"),
        ("'1e-3'", "1e-3"),
        ('"7"', "7"),
        ("!!str 7", "7"),
        ("!!float 7", 7.0),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(write, text, value) -> None:
    read = read_yaml(write(f"key: {text}\n")).tree["key"]
    assert (type(read), read) == (type(value), value)


def test_scalars_in_a_list_are_read_as_on_their_own(write) -> None:
    assert read_yaml(write("v: [1e-1, 0.1, 1E+0, .nan]\n")).tree["v"][:3] == [0.1, 0.1, 1.0]


def test_lines_of_keys_and_items_are_kept_also_through_merges(write) -> None:
    document = read_yaml(
        write(
            """\
            # a comment
            common: &common
              steps: 10
              batch: 4
            base:
              <<: *common
              batch: 8
            seeds:
              - 1
              - 2
            """
        )
    )
    assert document.tree["base"] == {"steps": 10, "batch": 8}
    assert document.lines["common",] == 2
    assert document.lines["base", "steps"] == 3
    assert document.lines["base", "batch"] == 7
    assert document.lines["seeds", 1] == 10


def test_earlier_of_several_merged_mappings_wins(write) -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\n"
    assert read_yaml(write(text)).tree["c"] == {"x": 1, "y": 1, "z": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: 1\nbatch: 2\nsteps: 3\n", "FILE:3: steps: is given twice, in line 1 and in line 3"),
        ("base:\n  batch: 2\n  batch: 3\n", "FILE:3: base.batch: is given twice, in line 2 and in line 3"),
        ("a: 1\n'a': 1\n", "FILE:2: a: is given twice, in line 1 and in line 2"),
        (
            "b: &b {p: 1}\nc:\n  <<: *b\n  p: 2\n  p: 3\n",
            "FILE:5: c.p: is given twice, in line 4 and in line 5",
        ),
        ("b: &b {p: 1}\nc:\n  <<: *b\n  <<: *b\n", "FILE:4: c.<<: is given twice, in line 3 and in line 4"),
        ("", "FILE: is empty"),
        ("# only a comment\n", "FILE: is empty"),
        ("- a\n", "FILE:1: the top level must be keys and values (`name: ...`), not a list"),
        ("\nword\n", "FILE:2: the top level must be keys and values (`name: ...`), not a single value"),
        ("a: 1\n---\nb: 1\n", "FILE:2: a second YAML document starts here; one is expected"),
        ("base:\n\tsteps: 1\n", "FILE:2: a tab is used for indentation; YAML wants spaces"),
        ("base:\n  a: 1\n\tb: 1\n", "FILE:3: a tab is used for indentation; YAML wants spaces"),
        ("a: b: c\n", "FILE:1: is not valid YAML: mapping values are not allowed here"),
        ("a: *x\n", "FILE:1: is not valid YAML: found undefined alias 'x'"),
        ("a: !!python/name:os.system x\n", "FILE:1: a: the tag `!!python/name:os.system` is not plain data"),
        ("a: !mine {b: 1}\n", "FILE:1: a: the tag `!mine` is not plain data"),
        ("a: !!int word\n", "FILE:1: a: 'word' is not a valid int"),
        ("a:\n  - &x [*x]\n", "FILE:2: a[0][0]: an alias stands inside what it refers to"),
        ("a: &a {<<: *a}\n", "FILE:1: a: an alias stands inside what it refers to"),
        ("a: 1\n1: b\n", "FILE:2: a key must be text, got 1; put it in quotes"),
        ("true: b\n", "FILE:1: a key must be text, got true; put it in quotes"),
        ("? [a]\n: b\n", "FILE:1: a key must be text, not a list or a mapping"),
        ("a: {<<: 3}\n", "FILE:1: a: `<<` merges a mapping: give it an alias such as `*base`"),
        ("a: 1\nb: \x07\n", "FILE:2: the character U+0007 is not allowed in YAML"),
        ('a: "\\ud800"\n', "FILE:1: a: '\\ud800' holds half a character (a lone surrogate)"),
    ],
)
def test_what_is_refused_is_named_with_its_line(write, text, message) -> None:
    assert _error(write(text)) == message


def test_several_faults_are_reported_at_once(write) -> None:
    lines = _error(write("a: 1\nb: !x 1\na: 2\n3: c\n")).splitlines()
    assert [line.split(":")[1] for line in lines] == ["2", "3", "4"]


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [1, 1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)),
        "a0: &a0 {k: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40)),
    ],
    ids=["lists", "merges"],
)
def test_aliases_that_double_forty_times_are_stopped(write, text) -> None:
    assert f"aliases expand to more than {MAX_NODES:,} values" in _error(write(text))


def test_deep_nesting_is_refused_without_a_traceback(write) -> None:
    assert _error(write("a: " + "[" * 5000)) == "FILE: values are nested too deeply"


def test_missing_file_folder_and_bytes_that_are_not_utf8(tmp_path) -> None:
    assert _error(tmp_path / "none.yaml") == "FILE: no such file"
    assert _error(tmp_path) == "FILE: is a folder, not a file"
    (tmp_path / "sweep.yaml").write_text("name: x\n")
    assert _error(tmp_path) == "FILE: is a folder, not a file; did you mean FILE/sweep.yaml?"
    (tmp_path / "latin.yaml").write_bytes("a: 1\nname: é\n".encode("latin-1"))
    assert _error(tmp_path / "latin.yaml") == "FILE:2: is not UTF-8 text"


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert read_yaml(path).tree == {"a": 1, "b": 2}


def test_written_text_means_the_same_to_readers_of_either_yaml_version(tmp_path) -> None:
    tree = {
        "texts": ["1e-3", "no", "010", "12:30", "null", "", "a: b", "é\n"],
        "numbers": [1e-5, 1e22, 7, True],
    }
    path = tmp_path / "out.yaml"
    path.write_text(write_yaml(tree), encoding="utf-8")
    assert read_yaml(path).tree == tree
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == tree
