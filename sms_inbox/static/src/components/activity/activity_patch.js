import {Activity} from "@mail/core/web/activity";
import {ActivityListPopoverItem} from "@mail/core/web/activity_list_popover_item";
import {useOpenConversation} from "@sms_inbox/core/open_conversation";
import {patch} from "@web/core/utils/patch";

/** An activity of the category "SMS" opens the conversation of its record. */
for (const Component of [Activity, ActivityListPopoverItem]) {
    patch(Component.prototype, {
        setup() {
            super.setup(...arguments);
            this.openConversation = useOpenConversation();
        },

        get isSms() {
            const {activity_category, state} = this.props.activity;
            return activity_category === "sms" && state !== "done";
        },

        async onClickWriteSms() {
            const {res_id, res_model} = this.props.activity;
            await this.openConversation(res_model, res_id);
        },
    });
}
