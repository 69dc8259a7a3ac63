import {Dropdown} from "@web/core/dropdown/dropdown";
import {_t} from "@web/core/l10n/translation";
import {formatInteger} from "@web/views/fields/formatters";
import {useService} from "@web/core/utils/hooks";
import {Component} from "@odoo/owl";

const MISCHIEF = [
    {name: "fail_rate", label: _t("Not delivered"), help: _t("The text fails, with a reason.")},
    {
        name: "lose_rate",
        label: _t("Never reported"),
        help: _t("Odoo never hears of the text again."),
    },
    {
        name: "duplicate_rate",
        label: _t("Told twice"),
        help: _t("Delivery reports and answers come twice."),
    },
    {
        name: "disorder_rate",
        label: _t("Told out of order"),
        help: _t("Delivery reports and answers overtake each other."),
    },
    {name: "busy_rate", label: _t("Busy"), help: _t("Odoo is turned away and has to come back.")},
    {
        name: "silent_rate",
        label: _t("Answer lost"),
        help: _t("The texts are taken, but Odoo does not hear of it."),
    },
];

const MOST_TEXTS = 2000000000;

/** The carrier's behaviour: by itself, by hand, and what goes wrong. */
export class CarrierBar extends Component {
    static template = "sms_gateway_demo.CarrierBar";
    static components = {Dropdown};
    static props = {carrier: Object};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.mischief = MISCHIEF;
        this.mostTexts = MOST_TEXTS;
    }

    get active() {
        return this.mischief.filter(({name}) => this.props.carrier[name]);
    }

    get balance() {
        return formatInteger(this.props.carrier.balance);
    }

    set(values) {
        return this.orm.write("sms.demo.carrier", [this.props.carrier.id], values);
    }

    /** Take over a number somebody typed; what is no number, or out of range, is put right. */
    onChangeNumber(name, max, ev) {
        const value = Math.min(Math.max(Number(ev.target.value) || 0, 0), max);
        ev.target.value = value;
        return this.set({[name]: value});
    }

    behave() {
        return this.orm.call("sms.demo.carrier", "action_behave", [[this.props.carrier.id]]);
    }

    async viewCalls() {
        const args = [[this.props.carrier.id]];
        return this.action.doAction(
            await this.orm.call("sms.demo.carrier", "action_view_calls", args)
        );
    }
}
