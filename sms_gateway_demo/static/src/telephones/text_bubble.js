import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {deserializeDateTime} from "@web/core/l10n/dates";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {Component, useState} from "@odoo/owl";

const {DateTime} = luxon;

const STATES = {
    to_phone: {
        waiting: {icon: "fa-clock-o", label: _t("On its way")},
        delivered: {icon: "fa-check", label: _t("Delivered")},
        failed: {icon: "fa-exclamation-circle", label: _t("Failed")},
        lost: {icon: "fa-question-circle", label: _t("Lost: Odoo never hears of it")},
    },
    from_phone: {
        waiting: {icon: "fa-clock-o", label: _t("On its way to Odoo")},
        delivered: {icon: "fa-check", label: _t("Odoo has it")},
        lost: {icon: "fa-question-circle", label: _t("Lost: Odoo never hears of it")},
    },
};
const DELAYS = [
    {seconds: 10, label: _t("10 seconds")},
    {seconds: 60, label: _t("1 minute")},
    {seconds: 600, label: _t("10 minutes")},
    {seconds: 3600, label: _t("1 hour")},
];

/** One text on a telephone, with the keys that decide what becomes of it. */
export class TextBubble extends Component {
    static template = "sms_gateway_demo.TextBubble";
    static components = {Dropdown, DropdownItem};
    static props = {text: Object, failures: Array};

    setup() {
        this.orm = useService("orm");
        this.delays = DELAYS;
        this.state = useState({reason: ""});
    }

    get isReceived() {
        return this.props.text.direction === "to_phone";
    }

    get isWaiting() {
        return this.props.text.state === "waiting";
    }

    get status() {
        return STATES[this.props.text.direction][this.props.text.state];
    }

    get words() {
        const {failure_reason, trouble, due_at} = this.props.text;
        if (trouble && this.isWaiting) {
            return _t("Odoo said %s; trying again", trouble);
        }
        if (this.isWaiting && this.isReceived) {
            return due_at ? _t("On its way") : _t("Press a key");
        }
        return failure_reason || this.status.label;
    }

    get time() {
        const moment = deserializeDateTime(this.props.text.sent_at);
        const isToday = moment.hasSame(DateTime.now(), "day");
        return moment.toLocaleString(isToday ? DateTime.TIME_SIMPLE : DateTime.DATETIME_SHORT);
    }

    press(key, ...args) {
        return this.orm.call("sms.demo.text", `action_${key}`, [[this.props.text.id], ...args]);
    }

    failWithReason() {
        return this.press("fail", "other", this.state.reason.trim() || null);
    }
}
