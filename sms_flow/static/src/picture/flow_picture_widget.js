import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {ConnectionLostError} from "@web/core/network/rpc";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {FormViewDialog} from "@web/views/view_dialogs/form_view_dialog";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {Component, onMounted, onWillUnmount, useState} from "@odoo/owl";
import {FlowPicture} from "./flow_picture";

/** Milliseconds after which the counts are read again, while somebody looks. */
const REFRESH = 15000;

/** The picture in the form of a flow, where it is edited, and of a record in one. */
export class FlowPictureWidget extends Component {
    static template = "sms_flow.FlowPictureWidget";
    static components = {FlowPicture};
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.dialog = useService("dialog");
        this.state = useState({picture: null});
        useRecordObserver((record) => this.onRecord(record));
        onMounted(() => (this.timer = browser.setInterval(() => this.refresh(), REFRESH)));
        onWillUnmount(() => browser.clearInterval(this.timer));
    }

    /** Whether it is the form of the flow itself. */
    get isFlow() {
        return this.props.record.resModel === "sms.flow";
    }

    get canEdit() {
        return this.isFlow && this.state.picture.can_edit;
    }

    /** Each time another record is shown, or this one is saved. */
    onRecord(record) {
        const flowId = this.isFlow ? record.resId : record.data.flow_id?.id;
        this.flowId = flowId;
        return record.dirty ? undefined : this.load(flowId, record.resId);
    }

    async load(flowId = this.flowId, recordId = this.props.record.resId) {
        if (!flowId) {
            this.state.picture = null;
            return;
        }
        const args = this.isFlow ? [[flowId]] : [[flowId], recordId];
        this.state.picture = await this.orm.silent.call("sms.flow", "get_picture", args);
    }

    /** The counts as they are now; not again where the flow cannot be read any more. */
    async refresh() {
        if (document.visibilityState !== "visible" || this.isLoading) {
            return;
        }
        this.isLoading = true;
        try {
            await this.load();
        } catch (error) {
            if (!(error instanceof ConnectionLostError)) {
                browser.clearInterval(this.timer);
                throw error;
            }
        } finally {
            this.isLoading = false;
        }
    }

    /** @param {{id: number, name: string}} [step] a new one without it */
    async openStep(step) {
        if (this.canEdit && !(await this.props.record.save())) {
            return;
        }
        this.dialog.add(
            FormViewDialog,
            {
                resModel: "sms.flow.step",
                resId: step?.id || false,
                title: step ? step.name : _t("New step"),
                context: {default_flow_id: this.flowId},
                readonly: !this.canEdit,
                preventEdit: !this.canEdit,
            },
            {onClose: () => this.reload()}
        );
    }

    async addStages() {
        if (await this.props.record.save()) {
            await this.orm.call("sms.flow", "action_add_stages", [[this.flowId]]);
            await this.reload();
        }
    }

    /** The picture, and what else the form shows of the steps. */
    async reload() {
        if (this.isFlow && !this.props.record.dirty) {
            await this.props.record.load();
        }
        await this.load();
    }
}

export const flowPictureWidget = {
    component: FlowPictureWidget,
    additionalClasses: ["w-100"],
};

registry.category("view_widgets").add("sms_flow_picture", flowPictureWidget);
