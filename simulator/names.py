"""The values that tags draw from: 100 countries, 1,000 origins, 250 brands, 67 categories, some of them hostile.

A hostile name is an ordinary one by docs/contract.md 1 (1 to 256 characters, at most 512 bytes of UTF-8, no U+0000)
that a careless path, query, SQL statement, CSV or template would break on.
"""

from typing import Final

DEVICES: Final = ("PC", "MOBILE", "TV")
ACTIONS: Final = ("VIEW", "BUY")

HOSTILE: Final = (
    "Żółta Łódź",
    "AC/DC ../.. //",
    "100% wool %00 %2F %zz",
    "Rock 'n' \"roll\"",
    "a&b=c?d#e+f;g",
    "'); DROP TABLE aggregates; --",
    "🛒 sale 👩‍👩‍👧 🇵🇱",
    "back\\slash\\N\\u0000",
    "tab\tline\nreturn\r",
    "naïve e\u0301 \u202eright-to-left\u202c \u200b",
    "NULL",
    "${PATH} {{ 7*7 }} <b>&amp;</b>",
    " leading and trailing ",
    "_2022-03-01T00:05:00_",
    "中文 العربية \U00010ffd",
    "x" * 256,
)

_COUNTRIES: Final = (
    "AD AE AF AL AM AO AR AT AU AZ BA BD BE BG BH BO BR BY CA CH CL CM CN CO CR CU CY CZ DE DK DO DZ EC EE EG ES ET FI "
    "FR GB GE GH GR GT HK HN HR HU ID IE IL IN IQ IR IS IT JM JO JP KE KR KW KZ LB LK LT LU LV MA MD MK MT MX MY NG NI "
    "NL NO NP NZ OM PA PE PH PK PL PT PY QA RO RS RU SA SE SG SI SK TH TN TR"
)

COUNTRIES: Final = tuple(_COUNTRIES.split())


def _named(kind: str, count: int) -> tuple[str, ...]:
    hostile = tuple(f"{kind} {name}"[:256] for name in HOSTILE)
    return hostile + tuple(f"{kind}_{number}" for number in range(count - len(hostile)))


ORIGINS: Final = _named("CAMPAIGN", 1000)
BRANDS: Final = _named("Brand", 250)
CATEGORIES: Final = _named("Category", 67)
