import {Component, useRef} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {usePopover} from "@web/core/popover/popover_hook";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {DynamicPlaceholderPopover} from "@web/views/fields/dynamic_placeholder_popover";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

/**
 * A button that lets the user choose a field of the template's model and puts the reference to it
 * on the clipboard, to be pasted anywhere in the text.
 */
export class CopyMergeField extends Component {
    static template = "sms_gateway.CopyMergeField";
    static props = {...standardWidgetProps};

    setup() {
        this.button = useRef("button");
        this.notification = useService("notification");
        this.popover = usePopover(DynamicPlaceholderPopover);
    }

    get model() {
        return this.props.record.data.model;
    }

    onClick() {
        this.popover.open(this.button.el, {
            resModel: this.model,
            validate: (path, defaultValue) => this.copy(path, defaultValue),
        });
    }

    /**
     * @param {string} path of the field, empty where the user chose none
     * @param {string} defaultValue to print where the field is empty
     */
    async copy(path, defaultValue) {
        if (!path) {
            return;
        }
        const fallback = (defaultValue || "").replace("|||", "").trim();
        const reference = `{{ object.${path}${fallback ? ` ||| ${fallback}` : ""} }}`;
        await browser.navigator.clipboard.writeText(reference);
        this.notification.add(_t("%s is on the clipboard: paste it into the text.", reference), {
            type: "success",
        });
    }
}

registry.category("view_widgets").add("sms_copy_merge_field", {
    component: CopyMergeField,
    fieldDependencies: [{name: "model", type: "char"}],
});
