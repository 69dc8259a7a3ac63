import {Chatter} from "@mail/chatter/web_portal/chatter";
import {useService} from "@web/core/utils/hooks";
import {patch} from "@web/core/utils/patch";

import {useEffect} from "@odoo/owl";

patch(Chatter.prototype, {
    setup() {
        super.setup(...arguments);
        const recordWatch = useService("sms_gateway.record_watch");
        useEffect(
            (model, id) => (id ? recordWatch.watch(model, id) : undefined),
            () => [this.props.threadModel, this.props.threadId]
        );
    },
});
