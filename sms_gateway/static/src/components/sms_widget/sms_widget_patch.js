import {SmsWidget} from "@sms/components/sms_widget/fields_sms_widget";
import {describeCount, describeCulprits, nameReplacement} from "@sms_gateway/core/segment_words";
import {measure, toGsm7, withoutMergeFields} from "@sms_gateway/core/segments";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";
import {formatInteger} from "@web/views/fields/formatters";

import {useEffect, useState} from "@odoo/owl";

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
     * @returns {import("@sms_gateway/core/segment_words").Count}
     */
    getSmsCount(measured) {
        return describeCount(measured);
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
     * @returns {import("@sms_gateway/core/segment_words").Warning|null}
     */
    getSmsWarning({culprits, segments}) {
        return describeCulprits(culprits, () => nameReplacement(segments, this.smsCheaper));
    },

    /** The segments that are left when the culprits are replaced. */
    get smsCheaper() {
        const content = withoutMergeFields(this._getValueForSmsCounts(toGsm7(this.smsText)));
        return measure(content.text + "x".repeat(this.smsAddedLength)).segments;
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
