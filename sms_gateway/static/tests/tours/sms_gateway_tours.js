import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");
const status = (state) => `.o-mail-Message:first .o-sms-Message-status[data-state=${state}]`;

/** On the form of a contact: write a text, look at its price, send it. */
tours.add("sms_gateway_composer", {
    steps: () => [
        {trigger: ".o_field_phone input", run: "click"},
        {trigger: ".o_field_phone_sms", run: "click"},
        {
            content: "Choose another sender",
            trigger: ".modal [name=sender_id] input:value('Sales')",
            run: "edit Fjord",
        },
        {trigger: ".modal .ui-autocomplete a:contains(Fjord)", run: "click"},
        {
            content: "Count while it is typed",
            trigger: ".modal .o_field_sms_widget textarea",
            run: `edit It’s ready – come at 14 ${"x".repeat(50)}`,
        },
        {trigger: ".modal .o_sms_count:contains('74 characters · 2 SMS')"},
        {trigger: ".modal .o_sms_unicode:contains(70 characters per SMS instead of 160)"},
        {
            content: "Make it cheaper",
            trigger: ".modal .o_sms_replace:contains('Replace: 1 SMS instead of 2')",
            run: "click",
        },
        {trigger: ".modal .o_sms_count:contains('74 characters · 1 SMS')"},
        {trigger: ".modal:not(:has(.o_sms_unicode))"},
        {trigger: ".modal footer button[name=action_send_sms]:enabled", run: "click"},
        {trigger: "body:not(:has(.modal))"},
        {trigger: ".o-mail-Message:first:contains(It's ready - come at 14)"},
        {trigger: `${status("queued")}:contains(Queued)`},
    ],
});

/** On the list of contacts: what a text to all of them comes to. */
tours.add("sms_gateway_composer_mass", {
    steps: () => [
        {trigger: ".o_switch_view.o_list", run: "click"},
        {trigger: ".o_list_view thead .o_list_record_selector input", run: "click"},
        {trigger: ".o_cp_action_menus button:contains(Actions)", run: "click"},
        {trigger: ".o-dropdown--menu .o_menu_item:contains(Send SMS)", run: "click"},
        {
            trigger: ".modal .o_field_sms_widget textarea:visible",
            run: `edit Dear {{ object.name }}, ${"x".repeat(160)}`,
        },
        {trigger: ".modal .o_sms_count:contains('+ merge fields'):contains('at least 2 SMS')"},
        {trigger: ".modal .o_sms_total:contains('2 SMS × 3 recipients = at least 6 SMS')"},
        {trigger: ".modal button[special=cancel]", run: "click"},
        {trigger: "body:not(:has(.modal))"},
    ],
});

/** On the form of a contact: what became of a text. */
tours.add("sms_gateway_delivered", {
    steps: () => [{trigger: `${status("delivered")}:contains(Delivered)`}],
});

/** On the form of a contact: why a text did not arrive. */
tours.add("sms_gateway_failed", {
    steps: () => [
        {trigger: `${status("failed")}:contains('Failed: The number is not valid')`},
        {
            content: "The provider's own code and the advice on hover",
            trigger:
                ".o-sms-Message-status[title*='InvalidSendingParameters'][title*='21211'][title*='E.164']",
            run: "click",
        },
        {trigger: ".o-mail-MessageNotificationPopover:contains(InvalidSendingParameters)"},
        {trigger: ".o-mail-MessageNotificationPopover:contains(E.164)"},
    ],
});

/** In the menu: a gateway with its addresses and senders, and the ledger of texts. */
tours.add("sms_gateway_menus", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {trigger: ".o_app[data-menu-xmlid='sms_gateway.menu_root']", run: "click"},
        {trigger: "button[data-menu-xmlid='sms_gateway.menu_configuration']", run: "click"},
        {trigger: "a[data-menu-xmlid='sms_gateway.menu_gateways']", run: "click"},
        {trigger: ".o_kanban_record:contains(Test provider)", run: "click"},
        {trigger: ".o_form_view a[name=webhooks]", run: "click"},
        {trigger: "[name=inbound_url]:contains(/inbound)"},
        {trigger: "[name=status_url]:contains(/status)"},
        {trigger: ".o_form_view a[name=senders]", run: "click"},
        {trigger: "[name=sender_ids] .o_data_row:contains(59445012)"},
        {trigger: "a[data-menu-xmlid='sms_gateway.menu_messages']", run: "click"},
        {trigger: ".o_list_view .o_data_row:contains(Bad number):contains(Failed)"},
        {
            content: "The same as on a telephone",
            trigger: ".o_switch_view.o_kanban",
            run: "click",
        },
        {trigger: ".o_kanban_record:contains(Bad number)", run: "click"},
        {trigger: ".o_form_view .alert-danger:contains(InvalidSendingParameters):contains(21211)"},
        {trigger: "button[name=action_open_record]", run: "click"},
        {trigger: ".o_form_view .o-mail-Chatter"},
    ],
});

/** From the health of the gateways to the texts that wait, and a sender for a country. */
tours.add("sms_gateway_health", {
    steps: () => [
        {trigger: ".o_data_row:contains(Test provider) .badge:contains(Trouble)"},
        {
            content: "What is wrong, and what to do",
            trigger: ".o_data_row:contains(Test provider):contains('has been waiting since')",
        },
        {trigger: ".o_data_row:contains(Test provider) [name=action_view_waiting]", run: "click"},
        {trigger: ".o_data_row:contains(+4791234567):contains(Queued)"},
        {trigger: ".o_menu_sections button:contains(Configuration)", run: "click"},
        {trigger: ".o-dropdown--menu .o-dropdown-item:contains(Sender rules)", run: "click"},
        {trigger: ".o_list_button_add", run: "click"},
        {trigger: ".o_selected_row [name=prefix] input", run: "edit +46"},
        {trigger: ".o_selected_row [name=sender_id] input", run: "edit Sales"},
        {trigger: ".ui-autocomplete a:contains(Sales)", run: "click"},
        {trigger: ".o_list_button_save", run: "click"},
        {trigger: ".o_data_row:contains(+46):not(.o_selected_row)"},
    ],
});
