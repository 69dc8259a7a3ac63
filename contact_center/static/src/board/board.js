import {onMounted, onWillUnmount} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {KanbanController} from "@web/views/kanban/kanban_controller";
import {kanbanView} from "@web/views/kanban/kanban_view";

/** Between two looks at the services, in milliseconds. */
const INTERVAL = 5000;

/** The board of the services, up to date while somebody looks at it. */
export class BoardController extends KanbanController {
    setup() {
        super.setup();
        onMounted(() => this.wait());
        onWillUnmount(() => this.stop());
    }

    wait() {
        this.timeout = browser.setTimeout(() => this.refresh(), INTERVAL);
    }

    stop() {
        this.isGone = true;
        browser.clearTimeout(this.timeout);
    }

    /** What cannot be loaded now, because the connection is lost, is loaded next time. */
    async refresh() {
        try {
            if (document.visibilityState === "visible") {
                await this.model.load();
            }
        } finally {
            if (!this.isGone) {
                this.wait();
            }
        }
    }
}

registry.category("views").add("contact_center_board", {
    ...kanbanView,
    Controller: BoardController,
});
