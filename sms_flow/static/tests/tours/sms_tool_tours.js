import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");
const BUTTON = ".o_statusbar_buttons .o_sms_tool:contains(Offer is on its way)";

/** The administrator makes a tool from the menu, with tags and a condition. */
tours.add("sms_tool_make", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {trigger: ".o_app[data-menu-xmlid='sms_gateway.menu_root']", run: "click"},
        {trigger: "button[data-menu-xmlid='sms_gateway.menu_configuration']", run: "click"},
        {trigger: "a[data-menu-xmlid='sms_flow.menu_tools']", run: "click"},
        {trigger: ".o_list_button_add", run: "click"},
        {trigger: "[name=name] input", run: "edit Offer is on its way"},
        {trigger: "[name=model_id] input", run: "edit Lead"},
        {trigger: ".ui-autocomplete a:contains(/^Lead$/)", run: "click"},
        {
            content: "The contact field is found",
            trigger: "[name=contact_path] .o_model_field_selector:contains(Contact)",
        },
        {trigger: "[name=icon] button[title=Delivery]", run: "click"},
        {trigger: "[name=icon] button[title=Delivery].btn-primary"},
        {
            trigger: "[name=body] textarea",
            run: "edit Hi $contact-firstname$, our offer on $lead-nothing$ comes",
        },
        {trigger: "[name=description] input", run: "edit When the offer has been mailed"},
        {
            content: "What is wrong shows while the tool is being made",
            trigger: "[name=preview]:contains($lead-nothing$)",
        },
        {
            trigger: "[name=body] textarea",
            run: "edit Hi $contact-firstname$, our offer on $lead-name$ is on its way",
        },
        {trigger: "[name=description] input", run: "click"},
        {trigger: ".o_form_button_save", run: "click"},
        {
            content: "Saved, the tags are fields",
            trigger: "[name=body] textarea:value('{{ object.partner_id.name.split()[0] }}')",
        },
        {trigger: ".o_form_saved"},
    ],
});

/** The salesman presses it on a lead and sees the text. */
tours.add("sms_tool_press", {
    steps: () => [
        {trigger: `${BUTTON}:has(.fa-truck)`, run: "click"},
        {trigger: ".o_notification:contains(Text to Anna Hansen is on its way)"},
        {trigger: ".o-mail-Message:contains('Hi Anna, our offer on Roof is on its way')"},
        {trigger: ".o-mail-Message:first .o-sms-Message-status[data-state=queued]"},
    ],
});

/** On a lead that does not match there is none, in the status bar nor in the action menu. */
tours.add("sms_tool_none", {
    steps: () => [
        {trigger: ".o_form_view .o_statusbar_buttons button"},
        {trigger: ".o_cp_action_menus .fa-cog", run: "click"},
        {trigger: ".o-dropdown--menu:contains(Duplicate):not(:has(.o_sms_tool))"},
        {trigger: `body:not(:has(${BUTTON}))`},
    ],
});

/** In the list: of what is selected those that can are texted, and the rest is told. */
tours.add("sms_tool_list", {
    steps: () => [
        {trigger: ".o_list_view thead .o_list_record_selector input", run: "click"},
        {trigger: ".o_cp_action_menus button:contains(Actions)", run: "click"},
        {trigger: ".o-dropdown--menu .o_sms_tool:contains(Offer is on its way)", run: "click"},
        {trigger: ".modal:contains(2 selected) footer .btn-primary:contains(Send)", run: "click"},
        {trigger: ".o_notification:contains('1 sent, 1 not'):contains(Nobody):contains(Contact)"},
    ],
});

/** An automation rule with the tool as its step. */
tours.add("sms_tool_automation", {
    steps: () => [
        {trigger: "[name=action_server_ids] button:contains(Add an action)", run: "click"},
        {trigger: ".modal .o_selection_badge:contains(Run SMS tool)", run: "click"},
        {trigger: ".modal [name=sms_tool_id] input", run: "edit Offer"},
        {trigger: ".ui-autocomplete a:contains(Offer is on its way)", run: "click"},
        {trigger: ".modal .o_form_button_save", run: "click"},
        {trigger: "body:not(:has(.modal))"},
        {trigger: ".o_form_button_save", run: "click"},
        {trigger: ".o_form_saved"},
    ],
});
