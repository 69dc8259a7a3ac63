import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";
import {useService} from "@web/core/utils/hooks";
import {useDebounced} from "@web/core/utils/timing";
import {Layout} from "@web/search/layout";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {Component, onWillDestroy, onWillStart, useState} from "@odoo/owl";
import {CarrierBar} from "./carrier_bar";
import {Telephone} from "./telephone";

/** Milliseconds between two readings of the screen, however much happens. */
const PAUSE = 150;
/** Milliseconds after the last key until a search starts. */
const SEARCH_DELAY = 250;

/** The screen with the telephones of the demo carrier. */
export class Telephones extends Component {
    static template = "sms_gateway_demo.Telephones";
    static components = {CarrierBar, Layout, Telephone};
    static props = {...standardActionServiceProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = {controlPanel: {}};
        this.state = useState({screen: null, search: ""});
        this.isReading = false;
        this.isOutdated = false;
        this.searchSoon = useDebounced(() => this.update(), SEARCH_DELAY);
        this.listen(useService("bus_service"));
        onWillStart(async () => {
            this.isManager = await user.hasGroup("sms_gateway.group_sms_manager");
            await this.read();
        });
    }

    get count() {
        const {phones, count} = this.state.screen;
        return phones.length < count
            ? _t("%(shown)s of %(count)s", {shown: phones.length, count})
            : "";
    }

    listen(bus) {
        const update = () => this.update();
        bus.subscribe("sms_gateway_demo/changed", update);
        bus.addEventListener("BUS:RECONNECT", update);
        onWillDestroy(() => {
            bus.unsubscribe("sms_gateway_demo/changed", update);
            bus.removeEventListener("BUS:RECONNECT", update);
        });
    }

    /** Read the screen again, once more if something changes meanwhile, never two at a time. */
    async update() {
        this.isOutdated = true;
        if (this.isReading) {
            return;
        }
        this.isReading = true;
        try {
            while (this.isOutdated) {
                this.isOutdated = false;
                await this.read();
                await new Promise((resolve) => browser.setTimeout(resolve, PAUSE));
            }
        } finally {
            this.isReading = false;
        }
    }

    async read() {
        const {search} = this.state;
        const screen = await this.orm.silent.call("sms.demo.phone", "get_screen", [search]);
        screen.phones = this.keepOrder(screen.phones, search);
        this.search = search;
        this.state.screen = screen;
    }

    /** Telephones stay where they are while somebody types into one; new ones come first. */
    keepOrder(phones, search) {
        const known = search === this.search ? this.state.screen.phones.map(({id}) => id) : [];
        return phones
            .map((phone, index) => ({phone, place: known.indexOf(phone.id), index}))
            .sort((a, b) => a.place - b.place || a.index - b.index)
            .map(({phone}) => phone);
    }

    onSearch(ev) {
        this.state.search = ev.target.value.trim();
        this.searchSoon();
    }

    openGateways() {
        return this.action.doAction("sms_gateway.sms_gateway_action");
    }

    /** @param {number} [id] of a telephone; a new one without it */
    openPhone(id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: id ? _t("Telephone") : _t("New telephone"),
            res_model: "sms.demo.phone",
            res_id: id,
            views: [[false, "form"]],
            target: "new",
        });
    }
}

registry.category("actions").add("sms_gateway_demo.telephones", Telephones);
