import {Component, onMounted, onWillUnmount, xml} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

/** Between two looks at how far a batch is, in milliseconds. */
const INTERVAL = 2000;
const UNDER_WAY = ["waiting", "running"];

/** Shows nothing; keeps the form of a batch up to date while it is under way. */
export class BatchRefresh extends Component {
    static template = xml``;
    static props = {...standardWidgetProps};

    setup() {
        onMounted(() => this.wait());
        onWillUnmount(() => browser.clearTimeout(this.timeout));
    }

    wait() {
        this.timeout = browser.setTimeout(() => this.refresh(), INTERVAL);
    }

    async refresh() {
        const {record} = this.props;
        const isSeen = document.visibilityState === "visible";
        if (isSeen && UNDER_WAY.includes(record.data.state)) {
            await record.load();
        }
        this.wait();
    }
}

registry.category("view_widgets").add("sms_flow_batch_refresh", {
    component: BatchRefresh,
    fieldDependencies: [{name: "state", type: "selection"}],
});
