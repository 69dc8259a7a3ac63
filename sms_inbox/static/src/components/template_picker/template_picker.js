import {_t} from "@web/core/l10n/translation";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {user} from "@web/core/user";
import {useService} from "@web/core/utils/hooks";
import {FormViewDialog} from "@web/views/view_dialogs/form_view_dialog";

import {Component, onWillStart} from "@odoo/owl";

/** The templates for a conversation's record; one that is chosen is put where the cursor stands. */
export class TemplatePicker extends Component {
    static template = "sms_inbox.TemplatePicker";
    static components = {DropdownItem};
    static props = {composer: Object};

    setup() {
        this.orm = this.env.services.orm; // that of the hook answers nobody once the menu is closed
        this.dialog = useService("dialog");
        onWillStart(async () => {
            [this.templates, this.mayCreate] = await Promise.all([
                this.call("sms_get_templates"),
                user.checkAccessRight("sms.template", "create"),
            ]);
        });
    }

    get thread() {
        return this.props.composer.targetThread;
    }

    call(method, ...args) {
        return this.orm.call("discuss.channel", method, [[this.thread.id], ...args]);
    }

    async onSelect({id}) {
        const {composer} = this.props;
        const text = await this.call("sms_render_template", id);
        composer.insertText(text, composer.selection.start);
        composer.autofocus++;
    }

    onSelectNew() {
        this.dialog.add(FormViewDialog, {
            resModel: "sms.template",
            title: _t("New template"),
            context: {
                default_body: this.props.composer.composerText,
                default_model: this.thread.sms_res_model || "res.partner",
            },
            canExpand: false,
        });
    }
}
