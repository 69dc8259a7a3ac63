import {SmsWidget} from "@sms/components/sms_widget/fields_sms_widget";
import {patch} from "@web/core/utils/patch";

patch(SmsWidget.prototype, {
    /** A tool without a sender of its own has the company's, and never Odoo's own service. */
    get showIapPricing() {
        return this.props.record.resModel !== "sms.tool" && super.showIapPricing;
    },
});
