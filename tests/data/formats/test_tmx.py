"""Tests of `data.formats.tmx`."""

import gzip
import time

import pytest

from data.errors import UserError
from data.formats import tmx
from data.formats.tmx import read_tmx

TMX = """<?xml version="1.0"?><!DOCTYPE tmx SYSTEM "tmx14.dtd"><tmx version="1.4"><body>
<tu><tuv xml:lang="en-GB"><seg>A <bpt i="1">&lt;b&gt;</bpt>red<ept i="1">&lt;/b&gt;</ept>
 <hi>door</hi></seg></tuv><tuv xml:lang="FR"><seg>Une porte rouge</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg>Only one</seg></tuv></tu>
<tu><tuv xml:lang="de"><seg>Ja</seg></tuv><tuv xml:lang="fr"><seg>{}</seg></tuv>
<tuv xml:lang="en"><seg>Yes</seg></tuv></tu></body></tmx>"""


def unit(source="Yes", target="Oui", languages=("en", "fr"), attribute="xml:lang"):
    variants = zip(languages, (source, target), strict=True)
    return (
        "<tu>"
        + "".join(f'<tuv {attribute}="{code}"><seg>{text}</seg></tuv>' for code, text in variants)
        + "</tu>"
    )


@pytest.fixture
def read(tmp_path):
    """Reads units, or a whole document, from English to French."""

    def read(content, source="en", target="fr", encoding="utf-8"):
        if "<tmx" not in content:
            content = f"<tmx><body>{content}</body></tmx>"
        path = tmp_path / "memory.tmx"
        path.write_bytes(content.encode(encoding))
        return read_tmx(str(path), source, target).rows

    return read


def test_the_units_that_have_both_languages_are_read(read, capsys):
    content = TMX.format("Oui")
    assert read(content, encoding="utf-16") == [("A red door", "Une porte rouge"), ("Yes", "Oui")]
    told = capsys.readouterr().err.splitlines()
    assert [line.partition("memory.tmx: ")[2] for line in told] == [
        "en is en and en-GB",
        "1 of 3 units lack en or fr and are left out",
    ]
    assert read(content, "fr", "de") == [("Oui", "Ja")]


def test_files_that_cannot_be_used_are_refused(read):
    with pytest.raises(UserError, match=r"\(translation units\) without a text .*: row 3"):
        read(TMX.format(""))
    message = r"none of its 3 units has both 'en' and 'es'\. It has en-GB, FR, en, de\. Check"
    with pytest.raises(UserError, match=message):
        read(TMX.format("Oui"), "en", "es")
    with pytest.raises(UserError, match=r"none of its 0 units .* It has no language\."):
        read("")
    with pytest.raises(UserError, match=r"no element found: line 1, .* It should be a TMX file"):
        read("<tmx>")


@pytest.mark.parametrize(
    "head", ['<tmx xmlns="http://www.lisa.org/tmx14">', '<tmx xmlns:t="http://www.lisa.org/tmx14">']
)
def test_elements_are_known_without_their_namespace(read, head):
    body = f"<body>{unit()}</body>"
    if "xmlns:t" in head:
        body = body.replace("</", "</t:").replace("<", "<t:").replace("<t:/t:", "</t:")
    assert read(f"{head}{body}</tmx>") == [("Yes", "Oui")]


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        ("Press<ph>{0}</ph>twice", "Press twice"),
        ("Line.<ph type='lb'>\\n</ph>Press", "Line. Press"),
        ("one<it pos='begin'>[</it>two<ut>x</ut>three<x/>four<br/>five", "one two three four five"),
        ("one<ph/><ph/>two", "one two"),
        ("one <ph/>two<ph/> three", "one two three"),
        ("one<ph/>, (<ph/>two<ph/>)<ph/>!", "one, (two)!"),
        ("l'<ph/>eau", "l'eau"),
        ("un<bpt i='1'>&lt;b></bpt>able<ept i='1'>&lt;/b></ept>", "unable"),
        ("un<hi type='x'>able</hi>", "unable"),
        ("a<bpt i='1'>b<sub>c<ph>d</ph>f</sub>g</bpt>e", "ae"),
        ("a<g>b<hi>c</hi>d</g>e", "abcde"),
        ("<ph>x</ph>a\n\tb<!-- c -->c", "a bc"),
    ],
)
def test_a_placeholder_between_two_words_is_a_space_and_other_mark_up_is_nothing(
    read, segment, text
):
    assert read(unit(segment)) == [(text, "Oui")]


@pytest.mark.parametrize("control", ["\x1f", "\x02", "&#31;", "&#x1F;", "&#0;", "&#x0b;"])
def test_control_characters_are_spaces_and_reported(read, control, capsys):
    assert read(unit(f"a{control}b")) == [("a b", "Oui")]
    assert "1 control characters, which XML forbids" in capsys.readouterr().err


def test_references_to_white_space_and_letters_stay(read, capsys):
    assert read(unit("a&#9;b&#10;c&#13;d&#xA;&#32;&#49;&#x31;&amp;")) == [("a b c d 11&", "Oui")]
    assert not capsys.readouterr().err


def test_a_reference_is_not_cut_between_two_pieces(read, monkeypatch):
    for piece in range(20, 40):
        monkeypatch.setattr(tmx, "_PIECE", piece)
        assert read(unit("a&#x1F;b &amp; c")) == [("a b & c", "Oui")]


def test_a_region_stands_for_its_language_and_never_the_reverse(read):
    british = unit(languages=("EN_gb", "fr-FR"))
    assert read(british) == read(british, "en-GB", "fr_fr") == [("Yes", "Oui")]
    assert read(british, "English", "français") == [("Yes", "Oui")]
    with pytest.raises(UserError, match=r"has both 'en-US' and 'fr'\. It has EN_gb, fr-FR"):
        read(british, "en-US", "fr")
    with pytest.raises(UserError, match="has both 'en-GB' and 'fr'"):
        read(unit(), "en-GB", "fr")


def test_several_regions_of_a_language_have_to_be_told_apart(read):
    units = unit("Lift", languages=("en-GB", "fr")) + unit("Elevator", languages=("en-US", "fr"))
    message = r"several kinds of 'en': en-GB, en-US\. Choose one with --source"
    with pytest.raises(UserError, match=message):
        read(units)
    with pytest.raises(UserError, match=r"several kinds of 'en': .* with --target"):
        read(units, "fr", "en")
    assert read(units, "en-us", "fr") == [("Elevator", "Oui")]
    assert read(units, "en-GB", "fr") == [("Lift", "Oui")]


def test_the_language_itself_goes_before_its_regions(read, capsys):
    units = unit("Lift", languages=("en-GB", "fr")) + unit("Yes", languages=("en", "fr"))
    assert read(units) == [("Lift", "Oui"), ("Yes", "Oui")]
    assert read(units, "en-GB") == [("Lift", "Oui")]
    both = unit("Lift", "Yes", languages=("en-GB", "en")).replace("</tu>", unit()[len("<tu>") :])
    assert read(both) == [("Yes", "Oui")]
    units += unit("Elevator", languages=("en-US", "fr"))
    capsys.readouterr()
    assert read(units) == [("Yes", "Oui")]
    assert "2 of 3 units lack en or fr and are left out" in capsys.readouterr().err


def test_a_language_and_its_only_region_are_not_two_languages(read):
    with pytest.raises(UserError, match="'en' and 'en-GB' are the same language"):
        read(unit(languages=("en-GB", "fr")), "en", "en-GB")


def test_old_files_name_languages_without_a_namespace(read):
    assert read(unit(attribute="lang")) == read(unit(attribute="XML:LANG")) == [("Yes", "Oui")]


def test_of_several_variants_in_a_language_the_first_counts(read):
    french = '<tuv xml:lang="fr"><seg>Oui</seg></tuv></tu>'
    units = unit("Yes", "Yeah", ("en", "en")).replace("</tu>", french)
    assert read(units) == [("Yes", "Oui")]


@pytest.mark.parametrize("encoding", ["shift_jis", "big5", "gb18030", "euc-kr", "windows-1252"])
def test_a_file_is_read_in_the_encoding_that_it_names(read, encoding):
    text = {"shift_jis": "日本語", "euc-kr": "한국어", "windows-1252": "l'été…"}.get(
        encoding, "中文"
    )
    content = f'<?xml version="1.0" encoding="{encoding}"?><tmx>{unit(text)}</tmx>'
    assert read(content, encoding=encoding) == [(text, "Oui")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_the_byte_order_goes_before_what_a_file_names(read, encoding):
    content = f"<?xml version='1.0' encoding='windows-1252'?><tmx>{unit('é')}</tmx>"
    assert read(content, encoding=encoding) == [("é", "Oui")]


def test_a_file_that_was_saved_again_as_utf_8_is_read(read):
    content = f"<?xml version='1.0' encoding='UTF-16'?><tmx>{unit('é')}</tmx>"
    assert read(content) == [("é", "Oui")]


@pytest.mark.parametrize("encoding", ["x", "zlib", "rot13", "idna", "unicode_escape", "cp037"])
def test_an_encoding_that_nobody_writes_is_refused_by_name(read, encoding):
    content = f'<?xml version="1.0" encoding="{encoding}"?><tmx>{unit()}</tmx>'
    with pytest.raises(UserError, match=f"its encoding '{encoding}' is unknown"):
        read(content)


@pytest.mark.parametrize(("named", "written"), [("utf-8", "latin-1"), ("big5", "latin-1")])
def test_bytes_of_another_encoding_are_one_line(read, named, written):
    content = f'<?xml version="1.0" encoding="{named}"?><tmx>{unit("é" * 3)}</tmx>'
    with pytest.raises(UserError, match=r"cannot read .*decode byte 0xe9.* that it names"):
        read(content, encoding=written)


@pytest.mark.parametrize("encoding", ["big5", "shift_jis", "utf-8"])
def test_a_declaration_without_a_document_is_one_line(read, tmp_path, encoding):
    (tmp_path / "empty.tmx").write_text(f'<?xml version="" encoding="{encoding}"?>')
    with pytest.raises(UserError, match=r"no element found: .* It should be a TMX file"):
        read_tmx(str(tmp_path / "empty.tmx"), "en", "fr")


def test_deep_nesting_is_read(read):
    assert read(unit("<b>" * 100_000 + "Yes" + "</b>" * 100_000)) == [("Yes", "Oui")]


def test_nesting_that_does_not_end_is_refused(read):
    with pytest.raises(UserError, match="It should be a TMX file"):
        read('<tu><tuv lang="en"><seg>' + "<b>" * 1000 + "</tu>")


def test_a_long_comment_takes_linear_time(read):
    comment = "<!--" + "x" * 4_000_000 + "-->"
    started = time.process_time()
    assert read(comment + unit()) == [("Yes", "Oui")]
    # Fed in pieces of 16 KiB it takes 8 s and four times that for each doubling.
    assert time.process_time() - started < 4


@pytest.mark.parametrize("endless", ["<!--", '<tuv lang="', "<?x "])
def test_a_comment_or_tag_without_an_end_is_refused(read, monkeypatch, endless):
    monkeypatch.setattr(tmx, "_PIECE", 1000)
    assert read(f"<!-- {'x' * 900} -->{unit()}") == [("Yes", "Oui")]
    with pytest.raises(UserError, match="line 1 has a tag or comment of more than"):
        read(endless + "x" * 3000)


def test_a_text_without_an_end_is_refused(read, monkeypatch):
    monkeypatch.setattr(tmx, "LONGEST_TEXT", 2**20)
    assert read(unit("x" * 2**20))[0].source == "x" * 2**20
    with pytest.raises(UserError, match="unit 2 has a text of more than 1 MiB"):
        read(unit() + unit("x" * (2**20 + 1)))


def test_entities_of_html_are_read_and_none_is_fetched(read, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    head = f'<!DOCTYPE tmx SYSTEM "tmx14.dtd" [<!ENTITY s SYSTEM "{secret}">]>'
    assert read(f"{head}<tmx>{unit('a&eacute;b&nbsp;c')}</tmx>") == [("aéb c", "Oui")]
    assert "secret" not in str(read(f"{head}<tmx>{unit('a&s;')}</tmx>"))


def test_entities_that_grow_are_refused(read):
    names = "abcdefgh"
    head = "".join(
        f'<!ENTITY {name} "{f"&{below};" * 40 if below else "x" * 100}">'
        for name, below in zip(names, ["", *names], strict=False)
    )
    with pytest.raises(UserError, match="amplification"):
        read(f"<!DOCTYPE tmx [{head}]><tmx>{unit('&h;')}</tmx>")


def test_a_packed_file_is_read_and_a_damaged_one_is_one_line(tmp_path):
    path = tmp_path / "memory.tmx.gz"
    content = gzip.compress(f"<tmx>{unit()}</tmx>".encode())
    path.write_bytes(content)
    assert read_tmx(str(path), "en", "fr").rows == [("Yes", "Oui")]
    path.write_bytes(content[:20])
    with pytest.raises(UserError, match=r"cannot read .*memory\.tmx\.gz"):
        read_tmx(str(path), "en", "fr")
