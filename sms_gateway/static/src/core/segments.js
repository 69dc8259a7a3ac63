/**
 * How many parts a text takes on the air: the browser's twin of `engine/segments.py`.
 * Both are proved on the table of cases in `static/tests/segments.test.js`.
 */

/** TS 23.038 §6.2.1, the default alphabet (the escape itself left out). */
const GSM7_BASIC = new Set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
        "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
);
/** TS 23.038 §6.2.1.1, the extension table: each takes two septets. */
const GSM7_EXTENSION = new Set("\f^{}\\[~]|€");

/** Units of one part, alone and with the header of a longer text (TS 23.040 §9.2.3.24.1). */
export const CAPACITY = {
    gsm7: {single: 160, part: 153},
    ucs2: {single: 70, part: 67},
};

/** Typography that word processors put in, and what it stands for in the GSM alphabet. */
const REPLACEMENTS = new Map([
    ..."’‘‚‛′´`".split("").map((char) => [char, "'"]),
    ..."“”„‟″«»".split("").map((char) => [char, '"']),
    ..."–—‐‑‒―−•·".split("").map((char) => [char, "-"]),
    ..."\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\t".split("").map((char) => [char, " "]),
    ..."\u00ad\u200b\u2060\ufeff".split("").map((char) => [char, ""]),
    ["…", "..."],
]);

/** As `odoo.tools.rendering_tools` finds them. */
const MERGE_FIELD = /(\{\{.+?\}\})/g;

/**
 * @typedef {object} Segments
 * @property {"gsm7"|"ucs2"} encoding
 * @property {number} units septets or UTF-16 code units
 * @property {number} segments the parts billed
 * @property {number} free units left in the last part
 * @property {string[]} culprits the characters, in order, that turn the text to UCS-2
 */

/**
 * Measure a text. A two-unit character (an extension, an emoji) is never split over two
 * parts, which can leave a part one unit short.
 *
 * @param {string} [text]
 * @returns {Segments}
 */
export function measure(text) {
    const chars = Array.from(text || "");
    const culprits = findCulprits(chars);
    const encoding = culprits.length ? "ucs2" : "gsm7";
    const widths = culprits.length
        ? chars.map((char) => char.length)
        : chars.map((char) => (GSM7_EXTENSION.has(char) ? 2 : 1));
    const units = widths.reduce((sum, width) => sum + width, 0);
    return {encoding, units, ...fillParts(widths, units, CAPACITY[encoding]), culprits};
}

/**
 * The characters outside the GSM alphabet, each once, in order of appearance.
 *
 * @param {Iterable<string>} chars
 * @returns {string[]}
 */
export function findCulprits(chars) {
    return [
        ...new Set(Array.from(chars).filter((c) => !GSM7_BASIC.has(c) && !GSM7_EXTENSION.has(c))),
    ];
}

/**
 * Whether {@link toGsm7} turns such a text into one of the GSM alphabet without losing a letter.
 *
 * @param {string[]} culprits
 * @returns {boolean}
 */
export function isReplaceable(culprits) {
    return culprits.length > 0 && culprits.every((char) => REPLACEMENTS.has(char));
}

/**
 * Write typographic quotes, dashes, dots and spaces with the characters of the GSM alphabet.
 * Merge fields are code and stay as they are.
 *
 * @param {string} text
 * @returns {string}
 */
export function toGsm7(text) {
    const replace = (char) => REPLACEMENTS.get(char) ?? char;
    return text
        .split(MERGE_FIELD)
        .map((piece, index) => (index % 2 ? piece : Array.from(piece, replace).join("")))
        .join("");
}

/**
 * The text without its merge fields, whose length is known only for each recipient.
 *
 * @param {string} text
 * @returns {{ text: string, hasMergeFields: boolean }}
 */
export function withoutMergeFields(text) {
    const bare = text.replace(MERGE_FIELD, "");
    return {text: bare, hasMergeFields: bare !== text};
}

/** Number of parts and units left in the last one. */
function fillParts(widths, total, {single, part}) {
    if (total <= single) {
        return {segments: Math.min(total, 1), free: single - total};
    }
    let segments = 1;
    let free = part;
    for (const width of widths) {
        if (width > free) {
            segments++;
            free = part;
        }
        free -= width;
    }
    return {segments, free};
}
