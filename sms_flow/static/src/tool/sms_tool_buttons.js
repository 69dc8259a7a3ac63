import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {KeepLast} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {patch} from "@web/core/utils/patch";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {StatusBarButtons} from "@web/views/form/status_bar_buttons/status_bar_buttons";

import {Component, useState} from "@odoo/owl";

/** More tools than this share one menu, to leave the status bar to the record's own buttons. */
const MAX_BUTTONS = 2;

/** The SMS tools that stand on the record of a form, as buttons in its status bar. */
export class SmsToolButtons extends Component {
    static template = "sms_flow.SmsToolButtons";
    static components = {Dropdown, DropdownItem};
    static props = {record: Object};

    setup() {
        this.smsTool = useService("sms_tool");
        this.keepLast = new KeepLast();
        this.state = useState({tools: [], isBusy: false});
        // The values as the server knows them: they change with every save and reload. The form
        // does not wait for the answer.
        useRecordObserver(({resId, resModel, _values}) => {
            this.load(resModel, resId, _values);
        });
    }

    get isMenu() {
        return this.state.tools.length > MAX_BUTTONS;
    }

    async load(resModel, resId) {
        const found = this.smsTool.find(resModel, resId ? [resId] : []);
        this.state.tools = await this.keepLast.add(found);
    }

    /**
     * Pressed twice is sent once.
     *
     * @param {import("./sms_tool_service").Tool} tool
     */
    async onClick(tool) {
        if (this.state.isBusy) {
            return;
        }
        this.state.isBusy = true;
        try {
            await this.run(tool);
        } finally {
            this.state.isBusy = false;
        }
    }

    async run(tool) {
        const {record} = this.props;
        if (await record.save()) {
            const {resId, resIds} = record;
            await this.smsTool.run(tool, [resId]);
            await record.model.load({resId, resIds});
        }
    }
}

patch(StatusBarButtons.prototype, {
    setup() {
        super.setup(...arguments);
        this.smsModel = this.env.model && useState(this.env.model);
    },

    /** On a telephone they are in the action menu; in a dialog the form is part of another. */
    get hasSmsTools() {
        return Boolean(this.smsModel?.root) && !this.env.inDialog && !this.env.isSmall;
    },
});
patch(StatusBarButtons, {
    components: {...StatusBarButtons.components, SmsToolButtons},
});
