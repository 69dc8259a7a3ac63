import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");

const WINDOW = ".o-mail-ChatWindow:contains(Anna Hansen)";
const DISCUSS = ".o-mail-DiscussContent:contains(Anna Hansen)";
const BAR = ".o-sms-ConversationBar";
const queued = (text) =>
    `.o-mail-Message:contains('${text}') .o-sms-Message-status[data-state=queued]`;

/** Type a text and send it; it goes into the queue. */
function write(place, text) {
    return [
        {trigger: `${place} .o-mail-Composer-input`, run: `edit ${text}`},
        {
            content: "Count while it is typed",
            trigger: `${place} .o-sms-Composer-count:contains('${text.length} characters · 1 SMS')`,
        },
        {trigger: `${place} .o-mail-Composer button[name=send-message]:enabled`, run: "click"},
        {trigger: `${place} ${queued(text)}:contains(Queued)`},
        {trigger: `${place} .o-sms-Composer-count:contains('0 characters')`},
    ];
}

/** Choose what to do with the conversation. */
function choose(place, action) {
    return [
        {trigger: `${place} ${BAR}-actions`, run: "click"},
        {trigger: `.o-dropdown--menu [data-action=${action}]`, run: "click"},
    ];
}

/** The seller: from the icon at the telephone number of a lead. */
tours.add("sms_inbox_seller", {
    steps: () => [
        {
            content: "The icon at the number opens the conversation beside the record",
            trigger: ".o_field_phone .o-sms-ConversationButton[title='Conversation by SMS']",
            run: "click",
        },
        {trigger: `${WINDOW} .o-mail-Message:contains(When do you come)`},
        {
            content: "Who, to which number, from which of ours, about what",
            trigger: `${WINDOW} ${BAR}:contains(+4791234567):contains(Team):contains(Roof)`,
        },
        {trigger: `${WINDOW} ${BAR}-state:contains(Waiting)`},
        {trigger: `${WINDOW} .o-mail-Composer-input[placeholder^='SMS to +4791234567 from Team']`},
        ...write(WINDOW, "Friday at 10 suits me"),
        {trigger: `${WINDOW} ${BAR}:not(:has(${BAR}-state))`},
        {
            content: "What the colleague writes elsewhere is here at once",
            trigger: `${WINDOW} ${queued("Bring the ladder")}`,
            timeout: 40000,
        },
    ],
});

/** The colleague: in Discuss, at the same time. */
tours.add("sms_inbox_colleague", {
    steps: () => [
        {
            content: "The conversations have their place in Discuss",
            trigger: ".o-mail-DiscussSidebarCategory-sms:contains(SMS)",
        },
        {trigger: ".o-mail-DiscussSidebarChannel:contains(Anna Hansen)", run: "click"},
        {trigger: `${DISCUSS} .o-mail-Message:contains(When do you come)`},
        {
            content: "What the seller writes elsewhere is here at once",
            trigger: `${DISCUSS} ${queued("Friday at 10 suits me")}`,
            timeout: 40000,
        },
        ...write(DISCUSS, "Bring the ladder"),
    ],
});

/** The seller has a conversation open while a text to the customer is sent from elsewhere. */
tours.add("sms_inbox_watch", {
    steps: () => [
        {trigger: ".o_field_phone .o-sms-ConversationButton", run: "click"},
        {trigger: `${WINDOW} .o-mail-Message:contains(When do you come)`},
        {trigger: `${WINDOW} ${queued("By the button")}`, timeout: 40000},
    ],
});

/** The colleague sends it with the button at the number. */
tours.add("sms_inbox_watch_colleague", {
    steps: () => [
        {trigger: ".o_field_phone", run: "hover"},
        {trigger: ".o_field_phone_sms:not(:visible)", run: (helpers) => helpers.anchor.click()},
        {trigger: ".modal [name=body] textarea", run: "edit By the button"},
        {trigger: ".modal-footer .btn-primary", run: "click"},
        {trigger: ".o-mail-Chatter .o-mail-Message:contains(By the button)"},
    ],
});

/** In the chat window of a lead: a template, and a new one. */
tours.add("sms_inbox_template", {
    steps: () => [
        {trigger: ".o_field_phone .o-sms-ConversationButton", run: "click"},
        {trigger: `${WINDOW} button[name=sms-template]`, run: "click"},
        {
            content: "It is rendered for the lead, and can be changed",
            trigger: ".o-sms-TemplatePicker-item:contains(Visit)",
            run: "click",
        },
        {
            trigger: `${WINDOW} .o-mail-Composer-input:value('About Roof: we come on Friday.')`,
            run: "edit About Roof: we come on Monday.",
        },
        {trigger: `${WINDOW} button[name=sms-template]`, run: "click"},
        {
            content: "None fits: make a new one of what is typed",
            trigger: ".o-sms-TemplatePicker-new",
            run: "click",
        },
        {trigger: ".modal [name=name] input", run: "edit Monday"},
        {trigger: ".modal [name=body] textarea:value('About Roof: we come on Monday.')"},
        {trigger: ".modal .o_form_button_save", run: "click"},
        {trigger: "body:not(:has(.modal))"},
        {trigger: `${WINDOW} .o-mail-Composer-input:value('About Roof: we come on Monday.')`},
        {trigger: `${WINDOW} button[name=sms-template]`, run: "click"},
        {trigger: ".o-sms-TemplatePicker-item:contains(Monday)"},
    ],
});

/** In the chat window of a lead: the customer has opted out. */
tours.add("sms_inbox_refused", {
    steps: () => [
        {trigger: ".o_field_phone .o-sms-ConversationButton", run: "click"},
        {trigger: `${WINDOW} .o-mail-Composer-input`, run: "edit Are you there?"},
        {trigger: `${WINDOW} .o-mail-Composer button[name=send-message]:enabled`, run: "click"},
        {trigger: ".modal:contains(opted out) button:contains(Close)", run: "click"},
        {trigger: `${WINDOW} .o-mail-Composer-input:value('Are you there?')`},
        {trigger: `${WINDOW}:not(:has(.o-mail-Message:contains('Are you there?')))`},
    ],
});

/** In the menu: "My SMS", and a conversation opens at the right. */
tours.add("sms_inbox_my_sms", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {trigger: ".o_app[data-menu-xmlid='sms_gateway.menu_root']", run: "click"},
        {trigger: "button[data-menu-xmlid='sms_inbox.menu_conversations']", run: "click"},
        {trigger: "a[data-menu-xmlid='sms_inbox.menu_conversations_mine']", run: "click"},
        {
            trigger: ".o_list_view .o_data_row:contains(Anna Hansen) td[name=name]",
            run: "click",
        },
        {trigger: `${WINDOW} .o-mail-Message:contains(When do you come)`},
        {trigger: ".o_list_view .o_data_row:contains(Anna Hansen)"},
        ...choose(WINDOW, "unassign"),
        {trigger: `${WINDOW} ${BAR}-user:contains(Unassigned)`},
        ...choose(WINDOW, "assign-to-me"),
        {trigger: `${WINDOW} ${BAR}-user:contains(sms_ola)`},
        ...choose(WINDOW, "done"),
        {trigger: `${WINDOW} ${BAR}-state:contains(Done)`},
        ...choose(WINDOW, "reopen"),
        {trigger: `${WINDOW} ${BAR}-state:contains(Waiting)`},
        ...choose(WINDOW, "other-number"),
        {trigger: ".modal .o_form_view [name=sender_id]"},
        {trigger: ".modal .btn-close", run: "click"},
        ...choose(WINDOW, "open-record"),
        {trigger: ".o_last_breadcrumb_item:contains(Anna Hansen)"},
    ],
});

/** On the form of a lead: the conversation was moved to it by mistake. */
tours.add("sms_inbox_undo_move", {
    steps: () => [
        {trigger: ".o_menu_systray .o-mail-DiscussSystray-class .fa-comments", run: "click"},
        {trigger: ".o-mail-NotificationItem:contains(Anna Hansen)", run: "click"},
        {trigger: `${WINDOW} ${BAR}-record:contains(Roof)`},
        ...choose(WINDOW, "undo-move"),
        {trigger: ".o_notification"},
        {trigger: `${WINDOW} ${BAR}-record:contains(Anna Hansen)`},
    ],
});

/** In the inbox: a stranger's text is put on a lead that is found by its name. */
tours.add("sms_inbox_handle", {
    steps: () => [
        {
            trigger: ".o_data_row:contains(Is this the dentist) button[name=action_handle]",
            run: "click",
        },
        {trigger: ".modal [name=search_text] input", run: "edit Cabin"},
        {trigger: ".modal button[name=action_search]", run: "click"},
        {
            content: "The record is found, and taken",
            trigger: ".modal .o_data_row:contains(Cabin) button[name=action_select]",
            run: "click",
        },
        {
            content: "One is on the record, and the text is in its history",
            trigger: ".o_last_breadcrumb_item:contains(Cabin)",
        },
        {trigger: ".o-mail-Chatter .o-mail-Message:contains(Is this the dentist)"},
        {trigger: ".breadcrumb .o_back_button, .o_breadcrumb a:contains(Inbox)", run: "click"},
        {
            content: "It has left the inbox",
            trigger: ".o_list_view:not(:has(.o_data_row:contains(Is this the dentist)))",
        },
    ],
});

/** The colleague has the lead open: the text is there as soon as it was put there. */
tours.add("sms_inbox_handle_colleague", {
    steps: () => [
        {trigger: ".o_last_breadcrumb_item:contains(Cabin)"},
        {
            trigger:
                ".o-mail-Chatter .o-mail-Message:contains(Is this the dentist):contains(Received SMS)",
            timeout: 60000,
        },
    ],
});

/** From the list: the conversation is moved to a lead, and the move undone. */
tours.add("sms_inbox_move", {
    steps: () => [
        {
            trigger: ".o_data_row:contains(Anna Hansen) .o_list_record_selector input",
            run: "click",
        },
        {trigger: ".o_control_panel button:contains(Move)", run: "click"},
        {trigger: ".modal [name=record_ref] select", run: "select crm.lead"},
        {trigger: ".modal [name=record_ref] .o-autocomplete input", run: "edit Cabin"},
        {trigger: ".o-autocomplete--dropdown-item:contains(Cabin)", run: "click"},
        {trigger: ".modal button[name=action_move]", run: "click"},
        {trigger: "body:not(:has(.modal))"},
        {trigger: ".o_data_row:contains(Anna Hansen) td[name=name]", run: "click"},
        {trigger: `${WINDOW} ${BAR}-record:contains(Cabin)`},
        {trigger: `${WINDOW} .o-mail-Message:contains(Now I see it)`, timeout: 60000},
        ...choose(WINDOW, "undo-move"),
        {trigger: ".o_notification:contains(Undone)"},
        {trigger: `${WINDOW} ${BAR}-record:not(:contains(Cabin))`},
        {trigger: `${WINDOW} .o-mail-Message:contains(And back)`, timeout: 60000},
    ],
});

/** The colleague has the conversation open: he sees where it goes, and says so. */
tours.add("sms_inbox_move_colleague", {
    steps: () => [
        {trigger: ".o-mail-DiscussSidebarChannel:contains(Anna Hansen)", run: "click"},
        {trigger: `${DISCUSS} ${BAR}-record:contains(Cabin)`, timeout: 60000},
        ...write(DISCUSS, "Now I see it"),
        {trigger: `${DISCUSS} ${BAR}-record:not(:contains(Cabin))`, timeout: 60000},
        ...write(DISCUSS, "And back"),
    ],
});

/** On any page: the notification of a new text. */
tours.add("sms_inbox_notification", {
    steps: () => [
        {trigger: ".o_menu_systray .o-mail-DiscussSystray-class .fa-comments", run: "click"},
        {trigger: ".o-mail-MessagingMenu-headerFilter:contains(SMS)", run: "click"},
        {
            trigger: ".o-mail-NotificationItem:contains(Anna Hansen):contains(When do you come)",
            run: "click",
        },
        {trigger: `${WINDOW} .o-mail-Message:contains(When do you come)`},
    ],
});

/** On the form of a lead: what is to be done by SMS. */
tours.add("sms_inbox_activity", {
    steps: () => [
        {trigger: ".o-mail-Activity .o-sms-Activity-write:contains(Write SMS)", run: "click"},
        {trigger: `${WINDOW} .o-mail-Composer-input`},
    ],
});

/** On a telephone: the tab, the conversation, an answer. */
tours.add("sms_inbox_phone", {
    steps: () => [
        {trigger: ".o-mail-MessagingMenu-tab[aria-label=SMS]", run: "click"},
        {trigger: ".o-mail-NotificationItem:contains(Anna Hansen)", run: "click"},
        {trigger: `${WINDOW} .o-mail-Message:contains(When do you come)`},
        {trigger: `${WINDOW} ${BAR}-actions`, run: "click"},
        {trigger: "[data-action=assign-to-me]", run: "click"},
        {trigger: `${WINDOW} ${BAR}-user:contains(sms_ola)`},
        ...write(WINDOW, "On Friday"),
    ],
});
