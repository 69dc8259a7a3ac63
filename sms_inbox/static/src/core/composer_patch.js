import {Composer} from "@mail/core/common/composer";
import {describeCount, describeCulprits, nameReplacement} from "@sms_gateway/core/segment_words";
import {measure, toGsm7} from "@sms_gateway/core/segments";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";

patch(Composer.prototype, {
    /** Whether what is typed goes out as a text. */
    get isSms() {
        return Boolean(this.thread?.isSms && !this.props.composer.message);
    },

    /** @override */
    get placeholder() {
        if (!this.isSms || this.props.placeholder) {
            return super.placeholder;
        }
        return _t("SMS to %(number)s from %(sender)s", {
            number: this.thread.sms_number,
            sender: this.thread.sms_sender_name,
        });
    },

    /** @override */
    get allowUpload() {
        return !this.isSms && super.allowUpload;
    },

    /** The text as it will be sent. */
    get smsText() {
        return this.props.composer.composerText.trim();
    },

    get smsMeasure() {
        return measure(this.smsText);
    },

    getSmsCount(measured) {
        return describeCount(measured);
    },

    getSmsWarning({culprits, segments}) {
        return describeCulprits(culprits, () =>
            nameReplacement(segments, measure(toGsm7(this.smsText)).segments)
        );
    },

    /** What the user should know of the sender before he writes; empty where nothing. */
    get smsNotice() {
        return this.thread.sms_can_receive === false
            ? _t("The customer cannot answer %(sender)s.", {sender: this.thread.sms_sender_name})
            : "";
    },

    onReplaceCulprits() {
        const {composer} = this.props;
        composer.composerText = toGsm7(composer.composerText);
        composer.autofocus++;
    },
});
