import gzip
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UserError
from data.files.lines import (
    LONGEST_LINE,
    is_utf8,
    read_lines,
    read_stream_lines,
    replace_surrogates,
)


def lines(content: bytes, **options) -> list[str]:
    return list(read_stream_lines(io.BytesIO(content), "a.txt", **options))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\n\nb\n", ["a", "", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\r\r\nb\r\r\n", ["a", "b"]),
        (b"a\nb\r", ["a", "b"]),
        (b"a\rb\nc\n", ["a\rb", "c"]),
        ("a\u2028b\u0085c\x0bd\x0ce\x1cf\n".encode(), ["a\u2028b\u0085c\x0bd\x0ce\x1cf"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["a", "\ufeffb"]),
        (b" a \n", [" a "]),
    ],
)
def test_only_line_feeds_end_a_line(content, expected):
    assert lines(content) == expected


def test_lines_come_with_their_ends_on_demand():
    assert lines(b"a\r\r\n\nb\rc\r\nd", keep_ends=True) == ["a\r\r\n", "\n", "b\rc\r\n", "d"]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]))))
def test_what_is_written_a_line_each_is_read_a_line_each(written):
    for end in ("\n", "\r\n"):
        content = "".join(line + end for line in written).encode()
        expected = [line.removeprefix("\ufeff") for line in written[:1]] + written[1:]
        assert lines(content) == expected


def test_bytes_that_are_not_utf8_are_kept():
    (line,) = lines(b"caf\xe9\n")
    assert line == "caf\udce9"
    assert line.encode("utf-8", "surrogateescape") == b"caf\xe9"
    assert not is_utf8(line)
    assert is_utf8("café")


def test_a_line_may_have_16_mib_and_no_byte_more(tmp_path):
    path = tmp_path / "long.txt"
    path.write_bytes(b"a\n" + b"b" * (LONGEST_LINE - 1) + b"\n")
    assert [len(line) for line in read_lines(path)] == [1, LONGEST_LINE - 1]
    path.write_bytes(b"a\n" + b"b" * LONGEST_LINE + b"\n")
    with pytest.raises(UserError, match=r"long\.txt: line 2 is longer than 16 MiB"):
        list(read_lines(path))


def test_memory_is_bounded_by_the_longest_line_and_not_by_the_file(tmp_path):
    path = tmp_path / "zeros.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(128):
            file.write(bytes(2**20))
    tracemalloc.start()
    try:
        with gzip.open(path) as file, pytest.raises(UserError, match="line 1 is longer"):
            list(read_stream_lines(file, "zeros"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * LONGEST_LINE


@pytest.mark.parametrize("content", [b"a\rb\r", b"a\rb", b"a,b\r1,2\r3,4\r", b"\ra"])
def test_a_file_of_an_old_mac_is_refused(content):
    with pytest.raises(UserError, match="carriage returns alone, as on old Macs"):
        lines(content)


@pytest.mark.parametrize("content", ["a\n".encode("utf-16"), b"\xfe\xff\x00a\x00\n"])
def test_utf16_is_refused(content):
    with pytest.raises(UserError, match=r"a\.txt is UTF-16"):
        lines(content)


@pytest.mark.parametrize("name", ["absent.txt", "", "a\0b", "x" * 300])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name):
    with pytest.raises(UserError, match=r"^cannot read .*Check the path$"):
        list(read_lines(tmp_path / name))


def test_each_byte_that_is_not_utf8_is_replaced_by_one_character():
    (line,) = lines(b"caf\xe9 \xe2\x82 a\n")
    assert replace_surrogates(line) == "caf\ufffd \ufffd\ufffd a"
    assert replace_surrogates("caf\u00e9 \U0001f602") == "caf\u00e9 \U0001f602"
