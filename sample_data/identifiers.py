"""Made-up identifiers with valid check characters: credit codes, licences, phones, persons."""

from __future__ import annotations

import numpy as np
import polars as pl

from audit.codes import (
    characters,
    credit_check_characters,
    org_check_characters,
    registration_check_digits,
)
from sample_data.draws import Draw, choose, digits, join_text

SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高罗郑梁谢宋唐许邓韩冯曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆"
    "汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰建国红梅文辉力海燕志宇春雪飞云林峰斌波鹏浩亮政谦亨奇固之轮翰朗伯"
    "宏言若鸣朋梁栋维启克伦翔旭泽晨辰士以青山松柏凤洁琳素彩菊莲真环荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉叶璧璐娅琦晶妍茜"
)
MOBILE = ("131", "133", "135", "136", "137", "138", "139", "150", "151", "158", "159", "177", "186")


class CodePool:
    """Organisation code bodies of eight digits, none given twice in a delivery."""

    def __init__(self, seed: int, size: int) -> None:
        drawn = Draw(seed, "organisation bodies").rng.choice(10**8, size=size, replace=False)
        self._bodies = digits(drawn, 8)
        self._used = 0

    def take(self, n: int) -> pl.Series:
        """Return the next n bodies."""
        taken = self._bodies.slice(self._used, n)
        self._used += n
        if len(taken) < n:
            raise ValueError("the pool of organisation codes is too small")
        return taken


def _with_check(bodies: pl.Series, length: int, check: object) -> pl.Series:
    marks = np.asarray(check, dtype=np.uint8).view("S1").astype("U1")
    return join_text(bodies, pl.Series(marks))


def org_codes(bodies: pl.Series) -> pl.Series:
    """Return organisation codes of 9 characters for bodies of 8 (GB 11714-1997)."""
    return _with_check(bodies, 8, org_check_characters(characters(bodies, 8)))


def close_credit_codes(bodies: pl.Series) -> pl.Series:
    """Return credit codes of 18 characters for the first 17 (GB 32100-2015)."""
    return _with_check(bodies, 17, credit_check_characters(characters(bodies, 17)))


def credit_codes(prefix: pl.Series | str, authority: pl.Series, bodies: pl.Series) -> pl.Series:
    """Return credit codes: two characters of prefix, six of authority, and the organisation."""
    return close_credit_codes(join_text(prefix, authority, org_codes(bodies)))


def registration_numbers(authority: pl.Series, bodies: pl.Series) -> pl.Series:
    """Return registration numbers of 15 digits for an authority of 6 and bodies of 8 digits."""
    text = join_text(authority, bodies)
    return _with_check(text, 14, registration_check_digits(characters(text, 14)))


def persons(draw: Draw, n: int) -> pl.Series:
    """Return n composed names of persons: a surname and one or two given characters."""
    first = draw.pick(list(GIVEN), n)
    second = choose(draw.chance(n, 0.6), draw.pick(list(GIVEN), n), "")
    return join_text(draw.pick(list(SURNAMES), n), first, second)


def mobiles(draw: Draw, n: int) -> pl.Series:
    """Return n mobile numbers."""
    return join_text(draw.pick(MOBILE, n), digits(draw.whole(10_000_000, 99_999_999, n), 8))


def landlines(draw: Draw, n: int) -> pl.Series:
    """Return n fixed numbers of Hengyang (0734)."""
    return join_text("0734-8", digits(draw.whole(200_000, 999_999, n), 6))
