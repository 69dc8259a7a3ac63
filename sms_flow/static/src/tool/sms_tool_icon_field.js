import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

import {Component} from "@odoo/owl";

/** The picture on a tool's button, and the choice of it. */
export class SmsToolIconField extends Component {
    static template = "sms_flow.SmsToolIconField";
    static props = {...standardFieldProps};

    get options() {
        return this.props.record.fields[this.props.name].selection;
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    onClick(value) {
        this.props.record.update({[this.props.name]: value});
    }
}

registry.category("fields").add("sms_tool_icon", {
    component: SmsToolIconField,
    supportedTypes: ["selection"],
});
