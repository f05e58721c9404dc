"""Big5 bytes pass for GB18030: telling the two apart by header words and common characters."""

from __future__ import annotations

import re

from pipelines.readers import headers
from pipelines.readers.model import RefusedFileError

FEWEST = 12
"""Characters beyond ASCII from which their ranges tell anything."""
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
_SPLIT = re.compile(r"[,\t;|\r\n]")


def _header_words(sample: bytes, codec: str, table: str) -> int:
    line = sample[:8192].decode(codec, "replace").splitlines()[: headers.HEADER_ROWS]
    cells = [cell.strip('"') for text in line for cell in _SPLIT.split(text)]
    return headers.recognised(cells, table)


def looks_like_big5(sample: bytes, table: str) -> bool:
    """Tell whether bytes that decode as GB18030 are Big5: its words, or its common characters.

    In Big5 the common characters lead with A4–C6, and many trail below A1, where GB2312 has none.
    """
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    pairs = _PAIR.findall(sample)
    if not pairs:
        return False
    try:
        sample.decode("big5hkscs")
    except UnicodeDecodeError:
        return False
    if len(pairs) >= FEWEST:
        common = sum(0xA1 <= pair[0] <= 0xC6 for pair in pairs) / len(pairs)
        low = sum(pair[1] < 0xA1 for pair in pairs) / len(pairs)
        if common > 0.9 and low > 0.25:
            return True
    return _header_words(sample, "big5hkscs", table) > _header_words(sample, "gb18030", table)


def is_big5() -> RefusedFileError:
    """Return the refusal of a file in Big5."""
    return RefusedFileError(
        "bad_bytes",
        "文件的文字是繁体中文 Big5 编码，按 GB18030 读取会全是错字，未装载。请另存为 UTF-8 后"
        "重新报送，或在配置 [encoding] 中为该文件指定 big5（如确为 GB18030，则指定 gb18030）。",
        "The text of the file is in Big5: read as GB18030 every character would be wrong. Save it "
        "as UTF-8 and deliver it again, or name big5 for it in the configuration under "
        "[encoding] (gb18030 where it is that after all).",
    )
