import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** JSON of a text field, laid out to be read. */
export class JsonField extends Component {
    static template = "contact_center.JsonField";
    static props = {...standardFieldProps};

    get pretty() {
        const text = this.props.record.data[this.props.name] || "";
        try {
            return JSON.stringify(JSON.parse(text), null, 4);
        } catch {
            return text;
        }
    }
}

registry.category("fields").add("contact_center_json", {
    component: JsonField,
    supportedTypes: ["text"],
});
