import {ConfirmationDialog} from "@web/core/confirmation_dialog/confirmation_dialog";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {patch} from "@web/core/utils/patch";
import {ActionMenus} from "@web/search/action_menus/action_menus";
import {CogMenu} from "@web/search/cog_menu/cog_menu";
import {session} from "@web/session";

import {useState} from "@odoo/owl";

/** Between what every view offers and the actions of the model. */
const GROUP_NUMBER = 50;

/** The action menu of lists and forms offers the SMS tools that stand on what is selected. */
patch(ActionMenus.prototype, {
    setup() {
        super.setup(...arguments);
        this.smsTool = useService("sms_tool");
        this.smsDialog = useService("dialog");
        this.smsState = useState({items: []});
    },

    /** Asked for when the menu opens: what matches may have changed since. */
    async loadSmsTools() {
        const {resModel} = this.props;
        const tools = await this.smsTool.find(resModel, this.props.getActiveIds?.() || []);
        this.smsState.items = tools.map((tool) => ({
            key: `sms-tool-${tool.id}`,
            description: tool.name,
            icon: `fa ${tool.icon}`,
            class: "o_sms_tool",
            groupNumber: GROUP_NUMBER,
            callback: () => this.onSmsTool(tool),
        }));
    },

    /**
     * Text one at once; many after a question, for it costs money and cannot be undone.
     *
     * @param {import("./sms_tool_service").Tool} tool
     */
    async onSmsTool(tool) {
        const resIds = await this.getSmsToolIds();
        const run = () => this.runSmsTool(tool, resIds);
        if (resIds.length <= 1) {
            await run();
        } else {
            this.smsDialog.add(ConfirmationDialog, {
                title: tool.name,
                body: this.smsTool.askFor(resIds.length),
                confirmLabel: _t("Send"),
                confirm: run,
                cancel: () => undefined,
            });
        }
    },

    /**
     * @returns {Promise<number[]>} the selected records, those of other pages too
     */
    async getSmsToolIds() {
        const {context, domain, isDomainSelected, resModel} = this.props;
        return isDomainSelected
            ? this.orm.search(resModel, domain, {limit: session.active_ids_limit, context})
            : this.props.getActiveIds();
    },

    async runSmsTool(tool, resIds) {
        await this.smsTool.run(tool, resIds);
        await this.props.onActionExecuted();
    },
});

patch(CogMenu.prototype, {
    /** @override */
    async loadPrintItems() {
        await Promise.all([super.loadPrintItems(), this.loadSmsTools()]);
    },

    /** @override */
    get cogItems() {
        return [...super.cogItems, ...this.smsState.items].sort(
            (item, other) => (item.groupNumber || 0) - (other.groupNumber || 0)
        );
    },
});
