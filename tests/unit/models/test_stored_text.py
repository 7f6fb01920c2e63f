"""What a sanitising server makes of a text, and which texts count as the same."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_provider_collate.models.stored_text import is_stored_form, lost, same_text, stored_form

Pair = tuple[str, str]
# Made with the sanitiser's library (version 20240325.1) and the server's allow-list.
STORED: tuple[Pair, ...] = (
    ("", ""),
    ("{", "{<!-- -->"),
    ("{{{x", "{<!-- -->{<!-- -->{x"),
    ("{<x>{", "{<!-- -->{<!-- -->"),
    ("<b class='{{x'>a</b>", '<b class="{\u200b{x">a</b>'),
    ("&copy 2026 &notit; &AMP; &nbsp;x", "© 2026 ¬it; &amp; \xa0x"),
    ("&#0;&#128;a\x01b", "\x80ab"),
    ("&#38;lt; &#x26;amp;", "&amp;lt; &amp;amp;"),
    ("<a href='https://x?a=1&copy=2'>t</a>", '<a href="https://x?a&#61;1&amp;copy&#61;2">t</a>'),
    ("<a href=' https://x/(a) b '>t</a>", '<a href="https://x/%28a%29%20b">t</a>'),
    ("<a href='HTTPS://x'>t</a> <a>u</a>", "t u"),
    ("<a href='javascript:x()' class=c>t</a>", '<a class="c">t</a>'),
    ("<A HREF='https://x' Target=_blank>t</A>", '<a href="https://x">t</a>'),
    ("<img alt> <img src=x> <img alt='' src='data:image/svg;x'>", '<img alt="alt" />  <img alt="" />'),
    ("<p>a<p>b<div>c", "<p>a</p><p>b</p><div>c</div>"),
    ("<ul>\n<li>a\n<li>b\n</ul>", "<ul><li>a\n</li><li>b\n</li></ul>"),
    ("<table><tbody><tr><td>a</td> </tr></tbody></table>", "<table><tbody><tr><td>a</td></tr></tbody></table>"),
    ("<h1>a</h2>b", "<h1>a</h1>b"),
    ("<br></br><hr></hr>x</p>", "<br /><hr />x"),
    ("<script>a<b></script >b<style>c", "b"),
    ("<!-->a-->b<!x>c<?d>e<%f%>g", "bceg"),
    ("<!><i>x</i>", "x"),
    ("<!", "&lt;!"),
    ("<>x</>y</ b>z<1>", "&lt;&gt;x&lt;/&gt;y&lt;/ b&gt;z&lt;1&gt;"),
    ("</é>x", "x"),
    ("<b <i>x", "<b>x</b>"),
    ("<b it's>x</b> don't", "<b>x</b> don&#39;t"),
    ('<b "a>b">x', "<b>x</b>"),
    ("<b/class=a/>x</b>", '<b class="a/">x</b>'),
    ("<b class=a class=b id=c>x", '<b class="a" id="c">x</b>'),
    ("<b '</p> class=c>", "<b></b>"),
    ("Map<String, List<Integer>>", "Map&gt;"),
    ("x<=y -> z => w", "x&lt;&#61;y -&gt; z &#61;&gt; w"),
    ("＜ ﬁ", "&#xff1c; ﬁ"),
    ("Classification&Regression models", "Classification®ression models"),
    ("https://x/d?id=1&Region=eu&Section=2", "https://x/d?id&#61;1®ion&#61;eu§ion&#61;2"),
    ("Data&Notebooks, Pricing&Quotes", "Data¬ebooks, Pricing&#34;es"),
    ("Tabular&Timeseries, Smith&Ltd", "Tabular×eries, Smith&lt;d"),
    ("A&Amp;B&NBSP;&nosuch&a", "A&amp;B\xa0&amp;nosuch&amp;a"),
    ("&#39s &#39-x &#x27g &#; &#x;", "&amp;#39s &amp;#39-x &amp;#x27g &amp;#; &amp;#x;"),
    ("&#39é a&#00000039;b", "&#39;é a&#39;b"),
    ("&#55357;&#56832; &#xD83D;x &#x110000;", "&#x1f600; x &#xfffd;"),
    ("<a href='https://x/?a=1&section'>t</a>", '<a href="https://x/?a&#61;1&amp;section">t</a>'),
    ("<a href='/?a&notify-me=1&param[]=1'>t</a>", '<a href="/?a&amp;notify-me&#61;1&amp;param[]&#61;1">t</a>'),
    ("<a href='/?&lt_x=1&Lt;&REG'>t</a>", '<a href="/?&lt;_x&#61;1≪®">t</a>'),
    ("<a href='https://x/releases/data-platform'>t</a>", '<a href="https://x/releases/data-platform">t</a>'),
    ('<img alt="a=b c d" src=https://x/a.png>', '<img alt="a&#61;b c d" src="https://x/a.png" />'),
    ("<b data-id=x data-testid='' data-x=y rel=a>t</b>", '<b data-id="x" data-testid="">t</b>'),
    ("<a rel=' NoFollow ' class=a>t</a><a rel=me>u</a>", '<a rel=" NoFollow " class="a">t</a>u'),
    (
        "<table align=left><tr align=x><td colspan=2 align=right>x</td></tr></table>",
        '<table align="left"><tbody><tr align="x"><td colspan="2" align="right">x</td></tr></tbody></table>',
    ),
    ("<p align=left class='align rel data-x'>x</p>", '<p class="align rel data-x">x</p>'),
    ("see <#E::table::a.b>", "see <#E::table::a.b>"),
    ("Bob's <#E::table::a.b> & <#E::b'😀>", "Bob&#39;s <#E::table::a.b> &amp; <#E::b'😀>"),
    ("List<<#E::a>> <#E::> <#E::b<i>c</i>", "List&lt;<#E::a>&gt; &lt;#E::&gt; &lt;#E::b<i>c</i>"),
    ("__OM_ENTITY_LINK_0__'", "__OM_ENTITY_LINK_0__&#39;"),
    ("<img alt=\"'A'\">", '<img alt="&#39;A&#39;" />'),
    ("<img title='say \"hi\"'>", '<img title="say &#34;hi&#34;" />'),
    ('<b class=foo">x</b>', '<b class="foo">x</b>'),
    ('<b class="foo', '<b class="&#34;foo"></b>'),
    ('<b class="', '<b class=""></b>'),
    ("<a href='https://x/{a}\n\tb c'>t</a>", '<a href="https://x/%7ba%7d%0a%09b%20c">t</a>'),
    ("<!-- re-train: a -> b -->x", " b --&gt;x"),
    ("<!--->a<!---->b", "b"),
    ('<img alt="uses `m`">', '<img alt="uses &#96;m&#96; " />'),
    ("<b class=>x</b><b class= />y</b><b class=", '<b class="">x</b><b class="">y</b><b class="class"></b>'),
    ("<a href=/>t</a> <a href=/x/>u</a> <b / class/>v</b>", 't <a href="/x">u</a> <b class="class">v</b>'),
    ("<b\u2003class=a\x1cid=c>x</b\u3000>y", '<b class="a" id="c">x</b>y'),
)
# What later versions of the library read differently, after its source.
NEWER: tuple[Pair, ...] = (
    ("Bob&#146;s &#128;", "Bob’s €"),
    ("<!-- re-train: a -> b -->x", "x"),
    ("<!-- a --!>x<!-- b", "x"),
    ("<!>a<!->b<!-->c<!--->d", "abcd"),
)
# Each with what another text is stored as; the text itself is stored as something else.
NOT_STORED: tuple[Pair, ...] = (
    ("<b>x</b>y", "<b>xy</b>"),
    ("<b><i>x</b>y</i>z", "<b><i>x</i></b>yz"),
    ("<p>a<b>b</p>c", "<p>a<b>b</b></p>c"),
    ("<ul><font></ul>", "<ul></ul>"),
    ("<b><a href=/x>y</b><i><a href=/z>", '<b><a href="/x">y</a></b><i><a href="/z"></a></i>'),
    ("<b><font>x</b><i></font>y", "<b>x</b><i>y</i>"),
    ("<p><center>x", "<p>x</p>"),
    ("<p><font><h1>x", "<p></p><h1>x</h1>"),
    ("<object>a</object>b", "ab"),
    ("<b class=a b>z</b>", '<b class="a">z</b>'),
    ("<td align=left>x</td>", "<td>x</td>"),
    ("<div data-id=x>a</div>", "<div>a</div>"),
    ("&lt;#E::a&gt;", "<#E::a>"),
    ("&lt;b&gt;x", "<b>x</b>"),
    ("Bob&#146;s", "Bobs"),
    ("<!-- re-train: a -> b -->x", " b -->x"),
    ("<!-- c -->x", " c --&gt;x"),
    ("<div data-x=y>a</div>", "<div>a</div>"),
    ("<#E::a> __OM_ENTITY_LINK_0__'", "<#E::a> <#E::a>&#39;"),
    ("<#E::a>'", "<#E::b>&#39;"),
    ("<i class='` '>x", '<i class="&#96; ">x</i>'),
    ("<b>" * 257, "<b>" * 257 + "</b>" * 257),
    ("Bob's", "Bobs"),
    ("a b", "a  b"),
    ("&amp;amp;", "&amp;"),
)
WORDS = (
    *("a", "b ", "\n", "  \n", "'", '"', "&", "&amp;", "&lt;", "<", ">"),
    *("=", "+", "@", "`", "{", "{{", "😀", "é", "\t"),
    *("<b>", "</b>", "<i>", "</i>", "<p>", "</p>", "<br>", "<String>", "<int>", "<!--", "-->", "<a href='/x'>", "</a>"),
    *("&Region", "&#39", "&#55357;", "&#56832;", "<#E::a>", "<img alt=", "<a href='/releases' rel=nofollow>", "\u2003"),
    *("<ul>", "<li>", "</li>", "</ul>", "<h1>", "</h1>", "<script>", "</script>", "<font color=red>", "</font>", "<b"),
)
texts = st.lists(st.sampled_from(WORDS), max_size=8).map("".join) | st.text(max_size=30)


def known(text: str) -> str:
    """The stored form of a text, where it is known."""
    stored = stored_form(text)
    assume(stored.certain)
    return stored.text


@pytest.fixture(scope="module")
def pairs(shared: Path) -> list[Pair]:
    with (shared / "contract" / "descriptions_stored.jsonl").open(encoding="utf-8") as lines:
        return [(pair["sent"], pair["stored"]) for pair in map(json.loads, lines)]


class TestIsStoredForm:
    @pytest.mark.parametrize("sent, stored", [*STORED, *NEWER])
    def test_a_text_is_recognised_in_the_form_the_server_gives_it(self, sent: str, stored: str) -> None:
        assert is_stored_form(sent, stored)

    @pytest.mark.parametrize("sent, shown", NOT_STORED)
    def test_a_text_is_not_taken_for_what_another_one_is_stored_as(self, sent: str, shown: str) -> None:
        assert not is_stored_form(sent, shown)

    def test_all_pairs_of_the_contract_are_recognised(self, pairs: list[Pair]) -> None:
        assert [pair for pair in pairs if not is_stored_form(*pair)] == []

    def test_no_two_texts_of_the_contract_that_are_stored_differently_are_taken_for_each_other(
        self, pairs: list[Pair]
    ) -> None:
        confused = [
            (sent, shown)
            for sent, stored in pairs
            for _, shown in pairs
            if is_stored_form(sent, shown) and not same_text(stored, shown)
        ]
        assert confused == []

    @given(texts)
    def test_the_form_of_a_text_is_its_stored_form_and_stays_as_it_is(self, text: str) -> None:
        stored = known(text)
        assert is_stored_form(text, stored)
        assert is_stored_form(stored, stored)
        assert known(stored) == stored

    @given(st.text(max_size=40))
    def test_an_equal_text_is_always_stored(self, text: str) -> None:
        assert is_stored_form(text, text)

    @given(texts, texts)
    def test_only_one_form_is_that_of_a_text(self, one: str, other: str) -> None:
        form = known(other)
        assume("<!" not in one)  # has two forms
        assume(not same_text(known(one), form) and not same_text(one, form))
        assert not is_stored_form(one, form)

    @given(texts, st.integers(0, 60), st.sampled_from("xyzXYZ0.,!#*_-"))
    def test_a_letter_that_a_person_adds_is_a_difference(self, text: str, place: int, letter: str) -> None:
        stored = known(text)
        assume("<!" not in text)  # has two forms
        assert not is_stored_form(text, stored[:place] + letter + stored[place:])

    @pytest.mark.parametrize(
        "declared, shown",
        [
            ("List<String>", "List<Integer>"),
            ("see <https://a>", "see <https://b>"),
            ("&#96;x&#96;", "`x`"),
            ("a *b*", "a b"),
        ],
    )
    def test_what_a_person_wrote_on_a_server_that_left_it_as_it_is_is_a_difference(
        self, declared: str, shown: str
    ) -> None:
        assert not is_stored_form(declared, shown)

    @pytest.mark.parametrize(
        "unit",
        [
            *("<", "<a ", "<!--", "</", "<b>", "<x>a", "&#x1", "<a href='", "<h1><i>", "{", "  \n", "<b a=b c "),
            *("<b a=b  ", "<!-- - ->", "<#E::", "<#E::a>", "&Region"),
        ],
    )
    def test_the_time_is_linear_in_the_length(self, unit: str) -> None:
        def seconds(length: int) -> float:
            text = unit * (length // len(unit))
            start = time.process_time()
            is_stored_form(text, f"{text}x")
            return time.process_time() - start

        # Eight times the length takes eight times as long, where the square would be sixty-four.
        assert seconds(400_000) < 30 * max(seconds(50_000), 0.05)


class TestLost:
    @pytest.mark.parametrize(
        "declared, parts",
        [
            ("List<String>", ("<String>",)),
            ("dict[str, list<int>]", ("<int>",)),
            ("a<b", ("<b",)),
            ("docs: <https://wiki.acme.example>", ("<https://wiki.acme.example>",)),
            ('<b onclick="x()">d</b>', ('<b onclick="x()">',)),
            ("<script>x()</script>after<!-- c -->", ("<script>x()</script>", "<!-- c -->")),
            ("R&D's `models` <b>{{ bold }}</b> 1 < 2 <br>", ()),
            ("{<!-- -->{ templ }}", ()),
            ("<!-- see <#E::a> -->Bob's <#E::b>", ("<!-- see <#E::a> -->",)),
        ],
    )
    def test_what_the_stored_form_has_lost_is_named(self, declared: str, parts: tuple[str, ...]) -> None:
        assert lost(declared) == parts


class TestSameText:
    @pytest.mark.parametrize(
        "one, other",
        [
            ("a\r\nb", "a\nb"),
            ("a\rb", "a\nb"),
            ("a \nb", "a\nb"),
            ("a\t\nb", "a\nb"),
            ("a\n", "a"),
            ("a  \n\nb", "a\n\nb"),
            ("a  ", "a"),
            ("a    \nb", "a  \nb"),
        ],
    )
    def test_line_endings_and_blanks_at_line_ends_do_not_matter(self, one: str, other: str) -> None:
        assert same_text(one, other)
        assert same_text(other, one)

    @pytest.mark.parametrize(
        "one, other", [("a  \nb", "a\nb"), ("a\nb", "a\n\nb"), (" a", "a"), ("a", "A"), ("a\nb", "a b"), ("a", "a\xa0")]
    )
    def test_what_a_reader_sees_matters(self, one: str, other: str) -> None:
        assert not same_text(one, other)
        assert not same_text(other, one)
