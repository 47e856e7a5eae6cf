from datetime import date
from pathlib import Path

import pytest

from forecast.errors import SpecError
from jobs.yaml_reader import MAX_DEPTH, read_yaml


def reading(tmp_path: Path, text: str | bytes):
    file = tmp_path / "a.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_yaml(file)


def rendered(tmp_path: Path, text: str | bytes) -> list[str]:
    return [fault.render(Path("a.yaml")) for fault in reading(tmp_path, text).faults]


def test_values_are_read_by_the_rules_of_yaml_1_2(tmp_path):
    text = """\
flags: [true, false, True, FALSE]
whole: [0, 7, -12, +3]
real: [1.5, -.5, 1e3, 2.]
day: 2024-07-01
nothing: [null, ~, ]
empty:
words: ["NO", 'yes', "010", "12:30", "2024-07-01", Stockport, 1,000 a]
block: |
  no
  010
nested: {a: {b: [c]}}
y: is a fine key
"""
    file = reading(tmp_path, text)
    assert file.faults == ()
    assert file.complete
    assert file.data == {
        "flags": [True, False, True, False],
        "whole": [0, 7, -12, 3],
        "real": [1.5, -0.5, 1000.0, 2.0],
        "day": date(2024, 7, 1),
        "nothing": [None, None],
        "empty": None,
        "words": ["NO", "yes", "010", "12:30", "2024-07-01", "Stockport", 1, "000 a"],
        "block": "no\n010\n",
        "nested": {"a": {"b": ["c"]}},
        "y": "is a fine key",
    }
    assert [type(each) for each in file.data["whole"]] == [int] * 4


def test_places_of_keys_and_values_count_from_one(tmp_path):
    file = reading(tmp_path, "# a comment\ndata:\n  own: {path: a.csv,\n    freq: MS}\nlist:\n- x\n- {k: v}\n")
    assert file.place(("data", "own", "path")) == (3, 15)
    assert file.place(("data", "own", "path"), key=True) == (3, 9)
    assert file.place(("data", "own", "freq")) == (4, 11)
    assert file.place(("list", 0)) == (6, 3)
    assert file.place(("list", 1, "k"), key=True) == (7, 4)


def test_a_missing_key_has_the_place_of_the_block_around_it(tmp_path):
    file = reading(tmp_path, "a: 1\nlist:\n  - name: x\n")
    assert file.place(("list", 0, "horizon")) == (3, 5)
    assert file.place(("list", 0, "horizon"), key=True) == (3, 5)
    assert file.place(("nowhere", "deep")) == (1, 1)


def test_a_byte_order_mark_does_not_move_the_first_key(tmp_path):
    file = reading(tmp_path, b"\xef\xbb\xbfa: NO\n")
    assert [(fault.line, fault.column) for fault in file.faults] == [(1, 4)]


@pytest.mark.parametrize("word", ["NO", "No", "no", "yes", "on", "Off", "y", "N"])
def test_words_that_may_be_booleans_are_refused(tmp_path, word):
    (line,) = rendered(tmp_path, f"a:\n  b: {word}\n")
    meaning = "true" if word.lower() in ("yes", "on", "y") else "false"
    assert line == f'a.yaml:2:6: a.b: {word} may mean {meaning} or the word; write {meaning}, or quote it: "{word}"'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 010", '1:4: a: 010 is read as another number by some programs; quote it: "010", or write it'),
        ("a: [-007]", "1:5: a[0]: -007 is read as another number"),
        ("a: 0x1F", "1:4: a: 0x1F is read as another number"),
        ("a: 1_000", "1:4: a: 1_000 has underscores; write 1000"),
        ("a: 12:30", '1:4: a: 12:30 is read as a number by some programs; quote it: "12:30"'),
        ("a: 2024-02-30", "1:4: a: 2024-02-30 is not a day of the calendar"),
        ("a: 1\nb: 2\na: 3", "3:1: a: the key is given twice (first in line 1); keep one"),
        ("a: {b: 1, b: {c: [1, {d: 2}]}}", "1:11: a.b: the key is given twice (first in line 1)"),
        ("a: &x 1", "1:4: a: anchors (`&x`) are not allowed; remove it"),
        ("&x a: 1", "1:1: a: anchors (`&x`) are not allowed; remove it"),
        ("a: [1, *x]", "1:8: a[1]: aliases (`*x`) are not allowed; write the value out"),
        ("a: *", "1:5: config: aliases are not allowed; quote text that starts with *"),
        ("a: 1\n<<: {b: [1, 2]}", "2:1: config: merge keys (`<<`) are not allowed; write the keys out"),
        ("a: !!python/name:os.system x", "1:4: a: tags (`tag:yaml.org,2002:python/name:os.system`)"),
        ("a: !mine {b: 1}", "1:4: a: tags (`!mine`) are not allowed; remove it"),
        ("? [a, b]\n: {c: 1}\nd: 1", "1:3: config: a key must be one word before a colon"),
        ("a: 1\n---\nb: 2", "2:1: config: a second document starts here; keep one, without `---`"),
        ("a:\n\tb: 1", "2:1: config: a tab; YAML allows only spaces here"),
        ("a:\t1", "1:3: config: a tab; YAML allows only spaces here"),
        ('a: "C:\\data"', '1:8: config: a backslash in "double quotes"; use single quotes, or / in paths'),
        ("a: b: c", "1:5: config: a colon where none can be; put the value in quotes"),
        ("a: [1, 2", "1:9: config: not YAML: expected ',' or ']'"),
        ("a: 'x", "1:6: config: not YAML: found unexpected end of stream; check quotes"),
        ("a: 1\nb: \x07", "2:4: config: character U+0007 is not allowed; remove it"),
        ("", "1:1: config: the file is empty; start from `forecast init LA`"),
        ("# only a comment\n", "1:1: config: the file is empty"),
        ("- a\n- b\n", "1:1: config: must be a block of `key: value` lines"),
        ("text", "1:1: config: must be a block of `key: value` lines"),
        (b"a: 1\nb: caf\xe9\n", "2:7: config: byte 0xe9 is not UTF-8; save the file with encoding UTF-8"),
        ("a: 1\n".encode("utf-16"), "1:1: config: byte 0xff is not UTF-8"),
        ("a: " + "[" * 60 + "]" * 60, f"1:{4 + MAX_DEPTH}: config: more than {MAX_DEPTH} levels"),
    ],
)
def test_a_fault_has_its_place_and_a_hint(tmp_path, text, fault):
    (line,) = rendered(tmp_path, text)
    assert line.startswith(f"a.yaml:{fault}")


def test_faults_are_collected_in_file_order_and_values_kept_as_written(tmp_path):
    file = reading(tmp_path, "a: NO\nb: 010\nc: [12:30, *x]\nd: 5\n")
    assert [(fault.line, fault.path) for fault in file.faults] == [(1, "a"), (2, "b"), (3, "c[0]"), (3, "c[1]")]
    assert file.data == {"a": "NO", "b": "010", "c": ["12:30", None], "d": 5}


def test_of_two_equal_keys_the_first_counts(tmp_path):
    assert reading(tmp_path, "a: 1\na: {b: 2}\nc: 3\n").data == {"a": 1, "c": 3}


def test_faults_before_a_syntax_error_are_kept(tmp_path):
    assert [line.split(":")[1] for line in rendered(tmp_path, "a: NO\nb: [1\nc: 2\n")] == ["1", "3"]


def test_a_file_that_cannot_be_opened_is_refused_with_the_next_step(tmp_path):
    with pytest.raises(SpecError, match=r"no such file\. Check the name, or write one with `forecast init LA`\."):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(SpecError, match="cannot be read"):
        read_yaml(tmp_path)
