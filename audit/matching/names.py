"""Names in Chinese characters split into region, 字号, industry, form and branch.

Every part is a pair of positions in one text; nothing is copied and no record is looped over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.matching.brackets import without_brackets
from audit.matching.characters import (
    U64,
    Flags,
    Hashes,
    Ints,
    Text,
    joined,
)
from audit.matching.gazetteer import Gazetteer
from audit.matching.phrases import Phrases
from audit.matching.regions import Prefix, prefix
from audit.matching.words import (
    BRANCH_AFTER_HEAD,
    BRANCH_ALWAYS,
    BRANCH_HEADS,
    HEADQUARTERS,
    PLACE,
    PLAIN_PLACE_WORDS,
    SELF_EMPLOYED_MARKS,
    SOCIETY,
    form_classes,
    form_phrases,
)

MAX_INDUSTRIES, MAX_PLACES = 3, 3
_FORMS, _CLASSES = Phrases(form_phrases()), np.array(form_classes())
_HEADQUARTERS = Phrases(dict.fromkeys(HEADQUARTERS, 1))
_SELF = Phrases(dict.fromkeys(SELF_EMPLOYED_MARKS, 1))
_BRANCHES = Phrases({**dict.fromkeys(BRANCH_AFTER_HEAD, 2), **dict.fromkeys(BRANCH_ALWAYS, 1)})
_STREET_OFFICE = Phrases({"街道办事处": 1})
_PLAIN = Phrases(dict.fromkeys(PLAIN_PLACE_WORDS, 1))
_NUMERALS = {ord(c): ord(str(n)) for n, c in enumerate("零一二三四五六七八九")}
_GONG, _SI, _DI, _STORE = (np.uint32(ord(c)) for c in "公司第店")
_NINE = np.uint32(ord("9"))
_LIMITED = ("有限责任公司", "有限公司")
_XIAN = ord("限")
_NOT_FIRMS = np.array([ord(c) for c in "分子支"], dtype=np.uint32)


@dataclass(slots=True)
class NameParts:
    """Positions of the parts of each name in `line`; an empty part has equal ends.

    `whole` is the hash of the name with all of its letters but the mark of a 本部. `own_place`
    tells that the region before the 字号 belongs to it (衡阳市第八中学), with the hash `place_key`.
    """

    whole: U64
    line: Text
    hashes: Hashes
    region: Prefix
    trade: tuple[Ints, Ints]
    industry: tuple[Ints, Ints]
    form: Ints
    form_at: tuple[Ints, Ints]
    branch: tuple[Ints, Ints]
    headquarters: Flags
    own_place: Flags
    place_key: U64
    is_place: Flags


def _slips(form: str) -> list[str]:
    """Return a form with two neighbouring characters exchanged, each way once."""
    return [form[:i] + form[i + 1] + form[i] + form[i + 2 :] for i in range(len(form) - 1)]


def _without_slips(text: Text) -> Text:
    """Write 有限公司 and 有限责任公司 in their order where two characters changed places."""
    codes = text.codes
    at = np.flatnonzero(codes == _XIAN)
    # Nearly always 公 is behind it, as in no slip.
    at = at[codes.take(at + 1, mode="clip") != _GONG]
    for form in _LIMITED:
        right = np.array([ord(c) for c in form], dtype=codes.dtype)
        for slip in _slips(form):
            found = at - slip.index("限")
            found = found[(found >= 0) & (found + len(slip) <= len(codes))]
            for distance, char in enumerate(slip):
                found = found[codes[found + distance] == ord(char)]
            found = found[found + len(slip) <= text.ends[text.row_of(found)]]
            found = found[found >= text.starts[text.row_of(found)]]
            if len(found):
                codes = codes.copy() if codes is text.codes else codes
                codes[found[:, None] + np.arange(len(slip))] = right
    return Text(codes, text.starts, text.ends)


def _written_alike(text: Text, positions: Ints) -> tuple[Text, Ints]:
    """Write 有限责任公司 as 有限公司, and a numeral behind 第 as a digit (第二门市部).

    Return the text and where these positions (-1 of none) are in it.
    """
    text = _without_slips(text)
    codes = text.codes
    numbered = np.flatnonzero(codes == _DI) + 1
    (behind,) = text.beside(numbered - 1, 1)
    numbered = numbered[behind > 0]
    if len(numbered):
        codes = codes.copy()
        for numeral, digit in _NUMERALS.items():
            codes[numbered[codes[numbered] == numeral]] = digit
    # 责 is rare enough elsewhere to be looked for first.
    found = np.flatnonzero(codes[2:-3] == ord("责"))
    for distance, char in enumerate("有限责任公司"):
        found = found[codes[found + distance] == ord(char)]
    rows = text.row_of(found)
    found = found[(found >= text.starts[rows]) & (found + 6 <= text.ends[rows])]
    alike = Text(codes, text.starts, text.ends)
    if not len(found):
        return alike, positions
    dropped = (found[:, None] + (2, 3)).ravel()
    keep = np.ones(len(codes), dtype=np.bool_)
    keep[dropped] = False
    moved = positions - np.searchsorted(dropped, positions)
    return alike.only(keep), np.where(positions >= 0, moved, -1)


def _cut(phrases: Phrases, hashes: Hashes, starts: Ints, ends: Ints) -> tuple[Ints, Flags]:
    """Return the ends less a phrase there, where something remains, and where it was so."""
    found = np.zeros(len(starts), dtype=np.bool_)
    lengths, _ = phrases.longest(hashes, starts, ends, at_end=True)
    cut = np.flatnonzero((lengths > 0) & (ends - starts > lengths))
    if not len(cut):
        return ends, found
    found[cut] = True
    ends = ends.copy()
    ends[cut] -= lengths[cut]
    lengths, _ = phrases.longest(hashes, starts[cut], ends[cut], at_end=True)
    ends[cut] -= np.where(ends[cut] - starts[cut] > lengths, lengths, 0)
    return ends, found


def _firm_end(line: Text, starts: Ints, ends: Ints) -> Ints:
    """Return the position behind the first 公司 that is not a branch's, -1 where there is none."""
    codes = line.codes
    found = np.flatnonzero(codes[1:-1] == _GONG) + 1
    found = found[codes[found + 1] == _SI]
    found = found[~np.isin(codes[found - 1], _NOT_FIRMS)]
    at = Text(codes, starts, ends).first_of(found)
    return np.where((at > starts) & (at + 2 <= ends), at + 2, -1)


def _head_end(parts: Text) -> Ints:
    """Return the position behind the first 银行, 合作社 … in each part, -1 of none."""
    result = np.full(len(parts), -1, dtype=np.int64)
    few = parts.some(np.arange(len(parts)))
    for word in BRANCH_HEADS:
        found = few.places_of(word)
        if not len(found):
            continue
        at = few.first_of(found)
        behind = at + len(word)
        better = (at > few.starts) & (behind <= few.ends) & ((result < 0) | (behind < result))
        result = np.where(better, behind, result)
    return np.where(result >= 0, result - few.starts + parts.starts, -1)


def _places_before(hashes: Hashes, starts: Ints, ends: Ints, gazetteer: Gazetteer) -> Ints:
    """Return where the places right before `ends` begin; two characters remain before them."""
    ends = ends.copy()
    live = np.arange(len(ends))
    for _ in range(MAX_PLACES):
        lengths, _ = gazetteer.phrases.longest(hashes, starts[live], ends[live], at_end=True)
        good = (lengths > 0) & (ends[live] - lengths > starts[live] + 1)
        live = live[good]
        if not len(live):
            break
        ends[live] -= lengths[good]
    return ends


def _branch_start(hashes: Hashes, starts: Ints, ends: Ints, gazetteer: Gazetteer) -> Ints:
    """Return where the branch part begins in names without 公司 before it; `ends` where nowhere."""
    line, result = hashes.text, ends.copy()
    lengths, kinds = _BRANCHES.longest(hashes, starts, ends, at_end=True)
    rows = np.flatnonzero(lengths > 0)
    office = _STREET_OFFICE.longest(hashes, starts[rows], ends[rows], at_end=True)[0] > 0
    rows = rows[~office]
    if not len(rows):
        return result
    starts, ends, lengths, kinds = starts[rows], ends[rows], lengths[rows], kinds[rows]
    suffix = ends - lengths
    head = _head_end(Text(line.codes, starts, suffix))
    ordinal = Text(line.codes, starts, ends).first(line.codes == _DI, last=True)
    numbered = (ordinal >= starts) & (suffix - ordinal <= 4) & (ordinal < suffix)
    store = (line.at(ends - 1) == _STORE) & (lengths == 1)
    begin = np.where(numbered, ordinal, suffix)
    placed = _places_before(hashes, starts, begin, gazetteer)
    # 门市部 alone, or 店, is no branch: a place or a number makes it one.
    certain = (kinds == 1) | numbered | (store & (placed < begin))
    begin = np.where(certain, placed, ends)
    result[rows] = np.where(head > 0, head, begin)
    return result


def _branches(
    hashes: Hashes, region: Prefix, ends: Ints, bracketed: Ints, gazetteer: Gazetteer
) -> Ints:
    """Return where the branch part of each name begins, its end where there is none."""
    firm = _firm_end(hashes.text, region.upper, ends)
    inside = (bracketed > region.end) & (bracketed < ends)
    branch = np.where(firm >= 0, firm, np.where(inside, bracketed, ends))
    rest = np.flatnonzero((firm < 0) & ~inside)
    branch[rest] = _branch_start(hashes, region.upper[rest], ends[rest], gazetteer)
    return branch


def _industry_start(lexicon: Phrases, hashes: Hashes, starts: Ints, ends: Ints) -> Ints:
    """Return where the industry words before `ends` begin: the longest ones, up to three."""
    begin = ends.copy()
    live = np.arange(len(ends))
    for turn in range(MAX_INDUSTRIES):
        lengths, _ = lexicon.longest(hashes, starts[live], begin[live], at_end=True)
        left = begin[live] - starts[live] - lengths
        good = (lengths > 0) & ((left >= 2) | ((turn == 0) & (left == 1)) | (left == 0))
        live = live[good]
        begin[live] -= lengths[good]
    return begin


def _is_number(line: Text, starts: Ints, ends: Ints) -> Flags:
    """Return whether a 字号 is only a number: 第8, 八, 12."""
    first, second, last = line.at(starts), line.at(starts + 1), line.at(ends - 1)
    numerals = np.array([*_NUMERALS, *range(ord("0"), ord("9") + 1), ord("十"), ord("百")])
    length = ends - starts
    by_order = (first == _DI) & (length <= 4) & np.isin(second, numerals)
    lone = (length == 1) & np.isin(first, numerals)
    digits = (length <= 3) & (first <= _NINE) & (last <= _NINE) & (first > 0)
    answer: Flags = by_order | lone | digits
    return answer


def _whole(text: Text, hashes: Hashes, ends: Ints, bracketed: Ints) -> U64:
    """Return the hashes of whole names: the letters of those with brackets, or else the line."""
    whole = hashes.of(hashes.text.starts, ends)
    if len(bracketed):
        mine, _ = _written_alike(text.some(bracketed).letters(), bracketed[:0])
        letters = Hashes(mine)
        ends, _ = _cut(_HEADQUARTERS, letters, mine.starts, mine.ends)
        whole[bracketed] = letters.of(mine.starts, ends)
    return whole


def split_names(text: Text, gazetteer: Gazetteer, lexicon: Phrases) -> NameParts:
    """Return the parts of folded names (separators still in them)."""
    inner = without_brackets(text, gazetteer)
    line, branches = _written_alike(inner.text, inner.branch)
    hashes = Hashes(line)
    cut_end, headquarters = _cut(_HEADQUARTERS, hashes, line.starts, line.ends)
    whole = _whole(text, hashes, cut_end, inner.bracketed)
    ends, _ = _cut(_SELF, hashes, line.starts, cut_end)
    region = prefix(line, hashes, ends, gazetteer)
    branch = _branches(hashes, region, ends, branches, gazetteer)
    parts = NameParts(
        whole=whole, line=line, hashes=hashes, region=region,
        trade=(region.end, branch), industry=(branch, branch), form=np.zeros(len(line), np.int64),
        form_at=(branch, branch), branch=(branch, ends),
        headquarters=headquarters | inner.headquarters,
        own_place=np.zeros(len(line), np.bool_), place_key=region.place_key,
        is_place=np.zeros(len(line), np.bool_),
    )  # fmt: skip
    _name_itself(parts, lexicon, gazetteer)
    return parts


def _shorter_form(
    lexicon: Phrases, hashes: Hashes, ends: tuple[Ints, Ints], form: tuple[Ints, Ints]
) -> tuple[Ints, Ints]:
    """Return length and group of forms; none where an industry word holds a form of one letter."""
    lengths, groups = form
    lone = np.flatnonzero(lengths == 1)
    starts, stops = ends[0][lone], ends[1][lone]
    words, _ = lexicon.longest(hashes, starts, stops, at_end=True)
    before, _ = lexicon.longest(hashes, starts, stops - 1, at_end=True)
    held = lone[(words > 1) & (words >= before + 1)]
    lengths[held] = groups[held] = 0
    return lengths, groups


def _name_itself(parts: NameParts, lexicon: Phrases, gazetteer: Gazetteer) -> None:
    """Split what stands between region and branch into 字号, industry and form."""
    hashes, region, head_end = parts.hashes, parts.region, parts.branch[0]
    # 书店, 餐馆, 银行 are words of an industry, no form behind one letter less.
    bounds = region.upper, head_end
    lengths, groups = _shorter_form(
        lexicon, hashes, bounds, _FORMS.longest(hashes, *bounds, at_end=True)
    )
    place = np.isin(_CLASSES[groups], (PLACE, SOCIETY))
    starts = np.where(place, region.upper, np.minimum(region.end, head_end))
    # A town's own name may reach into the form: 红湘街道|办事处.
    begin = np.maximum(head_end - lengths, starts)
    industry = _industry_start(lexicon, hashes, starts, begin)
    rows = np.flatnonzero(place)
    plain, _ = _PLAIN.longest(hashes, starts[rows], industry[rows], at_end=True)
    industry[rows] -= plain
    far, _ = gazetteer.upper.longest(hashes, starts, industry, at_end=True)
    trade_end = np.where(~place & (industry - starts - far >= 2), industry - far, industry)
    bare = trade_end == starts
    bare[rows] |= _is_number(parts.line, starts[rows], trade_end[rows])
    parts.form, parts.form_at = groups, (begin, head_end)
    parts.industry, parts.trade = (industry, begin), (starts, trade_end)
    parts.is_place = place
    # The town is in the name of a place already; of others it belongs to where they are.
    rows = np.flatnonzero(~place & (region.end > region.upper))
    town = hashes.of(region.upper[rows], region.end[rows])
    parts.place_key = region.place_key.copy()
    parts.place_key[rows] = joined(region.place_key[rows], town)
    parts.own_place = bare & (parts.place_key != 0)
