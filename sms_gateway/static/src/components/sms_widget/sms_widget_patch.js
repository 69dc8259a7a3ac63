import {SmsWidget} from "@sms/components/sms_widget/fields_sms_widget";
import {isReplaceable, measure, toGsm7, withoutMergeFields} from "@sms_gateway/core/segments";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";
import {formatInteger} from "@web/views/fields/formatters";

import {useEffect, useState} from "@odoo/owl";

const CULPRITS_NAMED = 5;
/** What joins other characters, and is never the one to blame. */
const JOINERS = new Set(["\u200d", "\ufe0e", "\ufe0f"]);

/**
 * Exact figures below the text while it is typed: characters, segments, what they come to for
 * all recipients, and which characters make the text dearer.
 */
patch(SmsWidget.prototype, {
    setup() {
        super.setup(...arguments);
        this.smsState = useState({typed: null});
        const onInput = (ev) => (this.smsState.typed = ev.target.value);
        useEffect(
            (textarea) => {
                textarea?.addEventListener("input", onInput);
                return () => textarea?.removeEventListener("input", onInput);
            },
            () => [this.textareaRef.el]
        );
        useEffect(
            () => {
                this.smsState.typed = null;
            },
            () => [this.props.record.data[this.props.name]]
        );
    },

    /** @override */
    get encoding() {
        return this.smsMeasure.encoding === "ucs2" ? "UNICODE" : "GSM7";
    },

    /** @override */
    get nbrSMS() {
        return this.smsMeasure.segments;
    },

    /** The text as it stands in the box, whether or not the record knows it yet. */
    get smsText() {
        return this.smsState.typed ?? (this.props.record.data[this.props.name] || "");
    },

    /**
     * Characters that others add when sending, such as the opt-out link of a mailing: what they
     * add to core's count, since there is no other place where they tell.
     */
    get smsAddedLength() {
        const content = this._getValueForSmsCounts(this.props.record.data[this.props.name] || "");
        const ownLength = content.length + (content.match(/\n/g) || []).length;
        return Math.max(this.nbrChar - ownLength, 0);
    },

    /** @returns {import("@sms_gateway/core/segments").Segments & { hasMergeFields: boolean }} */
    get smsMeasure() {
        const added = "x".repeat(this.smsAddedLength);
        const content = withoutMergeFields(this._getValueForSmsCounts(this.smsText));
        return {...measure(content.text + added), hasMergeFields: content.hasMergeFields};
    },

    /**
     * @param {SmsWidget["smsMeasure"]} measured
     * @returns {{ characters: string, segments: string, title: string }}
     */
    getSmsCount({encoding, units, segments, free, hasMergeFields}) {
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
    },

    /**
     * What the text comes to for all recipients; empty where there is one, or none are known.
     *
     * @param {SmsWidget["smsMeasure"]} measured
     * @returns {string}
     */
    getSmsTotal({segments, hasMergeFields}) {
        const recipients = this.props.record.data.sms_recipient_count;
        if (!(recipients > 1) || !segments) {
            return "";
        }
        const values = {
            segments: formatInteger(segments),
            recipients: formatInteger(recipients),
            total: formatInteger(segments * recipients),
        };
        return hasMergeFields
            ? _t("%(segments)s SMS × %(recipients)s recipients = at least %(total)s SMS", values)
            : _t("%(segments)s SMS × %(recipients)s recipients = %(total)s SMS", values);
    },

    /**
     * Why the text is dearer than it looks, and what replacing the culprits would save.
     *
     * @param {SmsWidget["smsMeasure"]} measured
     * @returns {{ message: string, culprits: string, replaceLabel: string }|null}
     */
    getSmsWarning({culprits, segments}) {
        if (!culprits.length) {
            return null;
        }
        return {
            message: _t("Unicode, with 70 characters per SMS instead of 160, because of"),
            culprits: nameCulprits(culprits),
            replaceLabel: isReplaceable(culprits) ? this.getSmsReplaceLabel(segments) : "",
        };
    },

    getSmsReplaceLabel(segments) {
        const content = withoutMergeFields(this._getValueForSmsCounts(toGsm7(this.smsText)));
        const cheaper = measure(content.text + "x".repeat(this.smsAddedLength)).segments;
        return cheaper < segments
            ? _t("Replace: %(fewer)s SMS instead of %(more)s", {fewer: cheaper, more: segments})
            : _t("Replace");
    },

    /** Core's price list is that of Odoo's own service: of no use to a text that goes elsewhere. */
    get showIapPricing() {
        const {sender_id} = this.props.record.data;
        return sender_id !== undefined && !sender_id;
    },

    async onReplaceCulprits() {
        this.smsState.typed = toGsm7(this.smsText);
        await this.props.record.update({[this.props.name]: this.smsState.typed});
        this.textareaRef.el?.focus();
    },
});

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
