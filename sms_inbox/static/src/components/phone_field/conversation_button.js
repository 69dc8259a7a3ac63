import {mayText, useOpenConversation} from "@sms_inbox/core/open_conversation";
import {patch} from "@web/core/utils/patch";
import {PhoneField} from "@web/views/fields/phone/phone_field";

import {Component, onWillStart} from "@odoo/owl";

/** The records that a conversation can belong to. */
const MODELS = new Set(["res.partner", "crm.lead"]);

/** A number's icon that opens the conversation with it. */
export class ConversationButton extends Component {
    static template = "sms_inbox.ConversationButton";
    static props = ["*"];

    setup() {
        this.openConversation = useOpenConversation();
        onWillStart(async () => {
            this.mayText = await mayText();
        });
    }

    get number() {
        return this.props.record.data[this.props.name];
    }

    get isShown() {
        const {resId, resModel} = this.props.record;
        return Boolean(this.mayText && resId && this.number && MODELS.has(resModel));
    }

    async onClick() {
        const {record} = this.props;
        if (await record.save()) {
            await this.openConversation(record.resModel, record.resId, this.number);
        }
    }
}

patch(PhoneField, {
    components: {...PhoneField.components, ConversationButton},
});
