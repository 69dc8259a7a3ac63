import {isReplaceable} from "@sms_gateway/core/segments";
import {_t} from "@web/core/l10n/translation";
import {formatInteger} from "@web/views/fields/formatters";

/** What stands below a text while it is typed, wherever it is typed. */

const CULPRITS_NAMED = 5;
/** What joins other characters, and is never the one to blame. */
const JOINERS = new Set(["\u200d", "\ufe0e", "\ufe0f"]);

/**
 * @typedef {object} Count
 * @property {string} characters
 * @property {string} segments
 * @property {string} title how it is counted
 */

/**
 * @param {import("@sms_gateway/core/segments").Segments & { hasMergeFields?: boolean }} measured
 * @returns {Count}
 */
export function describeCount({encoding, units, segments, free, hasMergeFields}) {
    const values = {characters: formatInteger(units), segments: formatInteger(segments)};
    return {
        characters: units === 1 ? _t("1 character") : _t("%(characters)s characters", values),
        segments: hasMergeFields
            ? _t("at least %(segments)s SMS", values)
            : _t("%(segments)s SMS", values),
        title: [
            _t("%(free)s characters left in this SMS", {free: formatInteger(free)}),
            encoding === "ucs2"
                ? _t(
                      "Unicode: 70 characters in one SMS, 67 in each of several. An emoji takes two."
                  )
                : _t(
                      "160 characters in one SMS, 153 in each of several. € [ ] { } \\ ^ ~ | take two."
                  ),
        ].join("\n"),
    };
}

/**
 * @typedef {object} Warning
 * @property {string} message
 * @property {string} culprits
 * @property {string} replaceLabel empty where replacing would lose a letter
 */

/**
 * Why a text is dearer than it looks.
 *
 * @param {string[]} culprits
 * @param {() => string} getReplaceLabel asked only where replacing loses no letter
 * @returns {Warning|null} nothing where there are no culprits
 */
export function describeCulprits(culprits, getReplaceLabel) {
    if (!culprits.length) {
        return null;
    }
    return {
        message: _t("Unicode, with 70 characters per SMS instead of 160, because of"),
        culprits: nameCulprits(culprits),
        replaceLabel: isReplaceable(culprits) ? getReplaceLabel() : "",
    };
}

/**
 * @param {number} segments
 * @param {number} cheaper segments that are left when the culprits are replaced
 * @returns {string}
 */
export function nameReplacement(segments, cheaper) {
    return cheaper < segments
        ? _t("Replace: %(fewer)s SMS instead of %(more)s", {fewer: cheaper, more: segments})
        : _t("Replace");
}

/** @param {string[]} culprits */
function nameCulprits(culprits) {
    const visible = culprits.filter((char) => !JOINERS.has(char));
    const named = (visible.length ? visible : culprits).map(nameCharacter);
    const more = named.splice(CULPRITS_NAMED).length;
    return [...named, ...(more ? [`+${more}`] : [])].join(" ");
}

/** @param {string} char */
function nameCharacter(char) {
    if (char === "\t") {
        return _t("(tab)");
    }
    if (/\p{Zs}/u.test(char)) {
        return _t("(special space)");
    }
    if (/\p{C}/u.test(char)) {
        return _t("(invisible character)");
    }
    return /\p{M}/u.test(char) ? `◌${char}` : char;
}
