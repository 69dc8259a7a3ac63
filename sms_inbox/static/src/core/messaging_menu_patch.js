import {MessagingMenu} from "@mail/core/public_web/messaging_menu";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";

patch(MessagingMenu.prototype, {
    /** Whether the user has conversations by text. */
    get hasSms() {
        return this.store.discuss.smsCategory.isVisible;
    },

    /** @override */
    get _tabs() {
        return this.hasSms ? [...super._tabs, this.smsTab] : super._tabs;
    },

    get smsTab() {
        return {
            counter: this.store.discuss.smsCategory.threadsWithCounter.length,
            icon: "fa fa-mobile",
            id: "sms",
            label: _t("SMS"),
            sequence: 30,
        };
    },
});
