import {fields} from "@mail/core/common/record";
import {DiscussApp} from "@mail/core/public_web/discuss_app_model";
import {DiscussAppCategory} from "@mail/discuss/core/public_web/discuss_app_category_model";
import {compareConversations} from "@sms_inbox/core/conversation_order";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";

const CATEGORY = "sms_inbox.category";

patch(DiscussApp.prototype, {
    setup() {
        super.setup(...arguments);
        this.smsCategory = fields.One("DiscussAppCategory", {
            compute() {
                return {
                    extraClass: "o-mail-DiscussSidebarCategory-sms",
                    hideWhenEmpty: true,
                    icon: "fa fa-mobile",
                    id: CATEGORY,
                    name: _t("SMS"),
                    sequence: 20,
                };
            },
            eager: true,
        });
    },
});

patch(DiscussAppCategory.prototype, {
    sortThreads(one, other) {
        return this.id === CATEGORY
            ? compareConversations(one, other)
            : super.sortThreads(one, other);
    },
});
