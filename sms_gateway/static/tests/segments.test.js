import {describe, expect, test} from "@odoo/hoot";
import {isReplaceable, measure, toGsm7, withoutMergeFields} from "@sms_gateway/core/segments";

describe.current.tags("headless");

/**
 * The measures of texts, by TS 23.038 and TS 23.040. Each case: what it is about; the text, as
 * pieces to repeat; encoding, units, segments, units free in the last part; the culprits.
 * `tests/test_segments.py` reads this very table, so it holds plain literals only.
 */
const CASES = [
    ["an empty text", [], "gsm7", 0, 0, 160, ""],
    ["one letter", [["a", 1]], "gsm7", 1, 1, 159, ""],
    ["the fullest single part", [["a", 160]], "gsm7", 160, 1, 0, ""],
    ["one letter too many for a part", [["a", 161]], "gsm7", 161, 2, 145, ""],
    ["two full parts", [["a", 306]], "gsm7", 306, 2, 0, ""],
    ["one letter too many for two parts", [["a", 307]], "gsm7", 307, 3, 152, ""],
    ["ten full parts", [["a", 1530]], "gsm7", 1530, 10, 0, ""],
    ["one letter too many for ten parts", [["a", 1531]], "gsm7", 1531, 11, 152, ""],

    ["a straight apostrophe", [["it's", 1]], "gsm7", 4, 1, 156, ""],
    ["Norwegian and Danish letters", [["æøåÆØÅ", 1]], "gsm7", 6, 1, 154, ""],
    ["Swedish and Finnish letters", [["äöåÄÖÅé", 1]], "gsm7", 7, 1, 153, ""],
    ["accents inside the alphabet", [["èéùìòàÉñÑüÜ", 1]], "gsm7", 11, 1, 149, ""],
    ["signs inside the alphabet", [["¡¿§¤ß£¥@$_", 1]], "gsm7", 10, 1, 150, ""],
    ["Greek capitals inside the alphabet", [["ΔΦΓΛΩΠΨΣΘΞ", 1]], "gsm7", 10, 1, 150, ""],
    ["C with cedilla, capital", [["Ç", 1]], "gsm7", 1, 1, 159, ""],
    ["C with cedilla, small", [["ç", 1]], "ucs2", 1, 1, 69, "ç"],

    ["a newline", [["a\nb", 1]], "gsm7", 3, 1, 157, ""],
    ["a carriage return and a newline", [["a\r\nb", 1]], "gsm7", 4, 1, 156, ""],
    ["a form feed", [["a\fb", 1]], "gsm7", 4, 1, 156, ""],
    ["a tab", [["a\tb", 1]], "ucs2", 3, 1, 67, "\t"],
    ["a non-breaking space", [["a\u00a0b", 1]], "ucs2", 3, 1, 67, "\u00a0"],
    ["the escape itself", [["\u001b", 1]], "ucs2", 1, 1, 69, "\u001b"],

    ["a euro takes two", [["5 €", 1]], "gsm7", 4, 1, 156, ""],
    ["the whole extension table", [["\f^{}\\[~]|€", 1]], "gsm7", 20, 1, 140, ""],
    ["eighty euros in a single part", [["€", 80]], "gsm7", 160, 1, 0, ""],
    ["a euro no part can hold in half", [["€", 81]], "gsm7", 162, 2, 143, ""],
    [
        "a euro at the end of a single part",
        [
            ["a", 158],
            ["€", 1],
        ],
        "gsm7",
        160,
        1,
        0,
        "",
    ],
    [
        "a euro too many for a single part",
        [
            ["a", 159],
            ["€", 1],
        ],
        "gsm7",
        161,
        2,
        145,
        "",
    ],
    [
        "a single part has no border inside",
        [
            ["a", 153],
            ["€", 1],
            ["a", 5],
        ],
        "gsm7",
        160,
        1,
        0,
        "",
    ],
    [
        "a euro before the border",
        [
            ["a", 151],
            ["€", 1],
            ["a", 153],
        ],
        "gsm7",
        306,
        2,
        0,
        "",
    ],
    [
        "a euro on the border",
        [
            ["a", 152],
            ["€", 1],
            ["a", 152],
        ],
        "gsm7",
        306,
        3,
        152,
        "",
    ],
    [
        "a euro on two borders",
        [
            ["a", 152],
            ["€", 1],
            ["a", 150],
            ["€", 1],
        ],
        "gsm7",
        306,
        3,
        151,
        "",
    ],

    ["a curly apostrophe", [["it’s", 1]], "ucs2", 4, 1, 66, "’"],
    ["a culprit is named once", [["’a’", 1]], "ucs2", 3, 1, 67, "’"],
    ["curly quotes", [["“hi”", 1]], "ucs2", 4, 1, 66, "“”"],
    ["a dash and an ellipsis", [["a – b…", 1]], "ucs2", 6, 1, 64, "–…"],
    ["a backtick", [["`", 1]], "ucs2", 1, 1, 69, "`"],
    ["a zero-width space", [["a\u200bb", 1]], "ucs2", 3, 1, 67, "\u200b"],
    ["Polish letters", [["Zażółć", 1]], "ucs2", 6, 1, 64, "żółć"],
    ["one ogonek", [["ą", 1]], "ucs2", 1, 1, 69, "ą"],
    ["accents outside the alphabet", [["áíóúý", 1]], "ucs2", 5, 1, 65, "áíóúý"],
    ["an accent of its own", [["e\u0301", 1]], "ucs2", 2, 1, 68, "\u0301"],
    ["a Greek capital that looks Latin", [["Α", 1]], "ucs2", 1, 1, 69, "Α"],
    ["small Greek letters", [["αβγ", 1]], "ucs2", 3, 1, 67, "αβγ"],
    ["Cyrillic", [["Привет", 1]], "ucs2", 6, 1, 64, "Привет"],
    ["Chinese", [["你好", 1]], "ucs2", 2, 1, 68, "你好"],
    ["a euro takes one in UCS-2", [["€ł", 1]], "ucs2", 2, 1, 68, "ł"],

    ["the fullest single part of UCS-2", [["ł", 70]], "ucs2", 70, 1, 0, "ł"],
    ["one letter too many for a part of UCS-2", [["ł", 71]], "ucs2", 71, 2, 63, "ł"],
    ["two full parts of UCS-2", [["ł", 134]], "ucs2", 134, 2, 0, "ł"],
    ["one letter too many for two parts of UCS-2", [["ł", 135]], "ucs2", 135, 3, 66, "ł"],
    [
        "one culprit makes three parts of one",
        [
            ["a", 159],
            ["’", 1],
        ],
        "ucs2",
        160,
        3,
        41,
        "’",
    ],

    ["an emoji takes two", [["😀", 1]], "ucs2", 2, 1, 68, "😀"],
    ["thirty-five emoji in a single part", [["😀", 35]], "ucs2", 70, 1, 0, "😀"],
    ["an emoji no part can hold in half", [["😀", 36]], "ucs2", 72, 2, 61, "😀"],
    [
        "an emoji before the border",
        [
            ["ł", 65],
            ["😀", 1],
            ["ł", 67],
        ],
        "ucs2",
        134,
        2,
        0,
        "ł😀",
    ],
    [
        "an emoji on the border",
        [
            ["ł", 66],
            ["😀", 1],
            ["ł", 66],
        ],
        "ucs2",
        134,
        3,
        66,
        "ł😀",
    ],
    ["a family of emoji", [["👨\u200d👩\u200d👧", 1]], "ucs2", 8, 1, 62, "👨\u200d👩👧"],
    ["a flag", [["🇸🇪", 1]], "ucs2", 4, 1, 66, "🇸🇪"],
    ["a heart with its variation", [["❤\ufe0f", 1]], "ucs2", 2, 1, 68, "❤\ufe0f"],
];

describe("R002: segments as they are billed", () => {
    for (const [label, pieces, encoding, units, segments, free, culprits] of CASES) {
        test(label, () => {
            const text = pieces.map(([piece, times]) => piece.repeat(times)).join("");
            expect(measure(text)).toEqual({
                encoding,
                units,
                segments,
                free,
                culprits: Array.from(culprits),
            });
        });
    }

    test("no text at all measures as an empty one", () => {
        expect(measure(undefined)).toEqual(measure(""));
        expect(measure(false)).toEqual(measure(""));
    });
});

describe("R002: typography that makes a text dearer", () => {
    const written = "“It’s\u00a0late” – he said…";

    test("is replaced by characters of the GSM alphabet", () => {
        expect(isReplaceable(measure(written).culprits)).toBe(true);
        expect(toGsm7(written)).toBe('"It\'s late" - he said...');
        expect(measure(toGsm7(written)).encoding).toBe("gsm7");
    });

    test("is left alone in merge fields, which are code", () => {
        expect(toGsm7("“{{ object.x or '–' }}” – {{ object.y }}")).toBe(
            "\"{{ object.x or '–' }}\" - {{ object.y }}"
        );
    });

    test("letters are never replaced", () => {
        expect(isReplaceable(measure("Łódź’s").culprits)).toBe(false);
        expect(toGsm7("Łódź")).toBe("Łódź");
        expect(isReplaceable([])).toBe(false);
    });
});

describe("R002: merge fields", () => {
    test("are left out, with their defaults", () => {
        expect(withoutMergeFields("Hi {{ object.name ||| you }}!")).toEqual({
            text: "Hi !",
            hasMergeFields: true,
        });
        expect(withoutMergeFields("{{ object.a }} and {{ object.b }}").text).toBe(" and ");
    });

    test("a text without them stays as it is", () => {
        expect(withoutMergeFields("a {b} {{ c")).toEqual({
            text: "a {b} {{ c",
            hasMergeFields: false,
        });
    });
});
