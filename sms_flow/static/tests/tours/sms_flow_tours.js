import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");

/** Choose something of a many2one in a dialog. */
function choose(field, words) {
    return [
        {trigger: `.modal [name=${field}] input`, run: `edit ${words}`},
        {trigger: `.ui-autocomplete a:contains('${words}')`, run: "click"},
    ];
}

/** The manager sets up a flow: SMS, the sender, then the steps of the team's stages. */
tours.add("sms_flow_set_up", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {trigger: ".o_app[data-menu-xmlid='sms_gateway.menu_root']", run: "click"},
        {trigger: "button[data-menu-xmlid='sms_flow.menu_flows']", run: "click"},
        {trigger: "a[data-menu-xmlid='sms_flow.menu_flows_flows']", run: "click"},
        {trigger: ".o_list_view .o_data_row:contains(Heat pumps)"},
        {trigger: ".o_list_button_add", run: "click"},
        {trigger: ".o_form_view [name=name] input", run: "edit Solar panels"},
        {trigger: "[name=team_id] input", run: "edit Solar"},
        {trigger: ".ui-autocomplete a:contains('Solar team')", run: "click"},
        {trigger: "a[name=sms]", run: "click"},
        {
            content: "R009: SMS comes first",
            trigger: ".alert-info:contains(Switch SMS on first)",
        },
        {trigger: ".o_form_view:not(:has([name=sender_id] input))"},
        {trigger: "[name=sms_enabled] input", run: "click"},
        {trigger: "[name=sender_id]:not(.o_readonly_modifier) input", run: "edit Solar"},
        {trigger: ".ui-autocomplete a:contains('Solar number')", run: "click"},
        {trigger: "[name=inbound_enabled]:not(.o_readonly_modifier) input", run: "click"},
        ...stepUtils.saveForm(),
        {trigger: "a[name=steps]", run: "click"},
        {trigger: "button[name=action_add_stages]", run: "click"},
        {trigger: "[name=step_ids] .o_data_row:contains(Offer) [name=name]", run: "click"},
        {
            content: "The text of the step, counted while it is typed",
            trigger: ".modal [name=body] textarea",
            run: "edit Shall we come on Friday?",
        },
        {trigger: ".modal .o_sms_count:contains('24 characters · 1 SMS')"},
        {
            content: "R023: a field of the lead goes to the clipboard",
            trigger: ".modal .o_widget_sms_copy_merge_field button:enabled",
        },
        {
            content: "R057: an answer",
            trigger: ".modal [name=reply_ids] a:contains(Add an answer)",
            run: "click",
        },
        {trigger: ".modal [name=keywords] input", run: "edit JA, Ja takk, OK, yes"},
        ...choose("target_step_id", "Order"),
        {content: "R067: no reminders yet", trigger: ".modal [name=reminder_count]:contains(0)"},
        {trigger: ".modal [name=reminder_ids] a:contains(Add a reminder)", run: "click"},
        {
            content: "R069: nothing more is asked before the delay is given",
            trigger: ".modal [name=reminder_ids] .o_data_row:not(:has([name=prefix] input))",
        },
        {trigger: ".modal [name=delay] input", run: "edit 2"},
        {trigger: ".modal [name=delay_unit] input", run: "click"},
        {trigger: ".modal [name=prefix] input:value('Reminder:')"},
        {trigger: ".modal [name=window_end] input:value('21:00')"},
        {trigger: ".modal [name=reminder_count]:contains(1)"},
        {trigger: ".modal .o_form_button_save", run: "click"},
        {trigger: "body:not(:has(.modal))"},
        {trigger: "[name=step_ids] .o_data_row:contains(Offer):contains(Shall we come)"},
        ...stepUtils.saveForm(),
        {trigger: "[name=step_ids] .o_data_row:contains(Offer):contains('JA, Ja takk')"},
    ],
});

/** The manager copies the set-up of another flow. */
tours.add("sms_flow_copy", {
    steps: () => [
        {trigger: ".o_form_view button:contains('Copy set-up')", run: "click"},
        {trigger: ".modal [name=flow_id]:contains(Solar)"},
        ...choose("source_id", "Heat pumps"),
        {trigger: ".modal [name=source_step_count]:contains(3)"},
        {trigger: ".modal button[name=action_copy]", run: "click"},
        {trigger: ".modal .alert-success:contains('1 steps')"},
        {trigger: ".modal .alert-warning:contains('has no stage Rejected')"},
        {trigger: ".modal footer button:contains(Close)", run: "click"},
        {trigger: "body:not(:has(.modal))"},
        {trigger: "a[name=steps]", run: "click"},
        {trigger: "[name=step_ids] .o_data_row:contains(Sale)"},
    ],
});

/** The seller puts a lead into a step, looks at its flow and stops it. */
tours.add("sms_flow_lead", {
    steps: () => [
        {trigger: "button[name=action_sms_flow_start]", run: "click"},
        {
            content: "Its team's flow is chosen",
            trigger: ".modal [name=flow_id] input:value('Heat pumps')",
        },
        ...choose("step_id", "Sale"),
        {trigger: ".modal [name=preview]:contains('Hi Anna, shall we install it?')"},
        {trigger: ".modal [name=stage_id]:contains(Sale)"},
        {trigger: ".modal button[name=action_start]", run: "click"},
        {trigger: ".o_notification:contains('1 put into Sale')"},
        {trigger: "body:not(:has(.modal))"},
        {trigger: ".o-mail-Message:contains('Hi Anna, shall we install it?')"},
        {
            content: "The step stands on the lead, and leads to its run",
            trigger: "button[name=action_sms_flow_view]:contains(Sale)",
            run: "click",
        },
        {trigger: ".o_form_view [name=record_name]:contains(Roof)"},
        {trigger: "[name=entry_ids] .o_data_row:contains('Hi Anna, shall we install it?')"},
        {trigger: "button[name=action_stop]", run: "click"},
        {trigger: ".modal footer .btn-primary", run: "click"},
        {trigger: ".o_statusbar_status .o_arrow_button_current:contains(Stopped)"},
        {trigger: "[name=end_reason]:contains('Stopped by hand')"},
    ],
});

/** The seller finds the leads of a flow: search, list, board. */
tours.add("sms_flow_leads", {
    steps: () => [
        {
            content: "On the board, a badge with the step",
            trigger: ".o_kanban_record:contains(Roof) .badge:contains(Sale)",
        },
        {trigger: ".o_switch_view.o_list", run: "click"},
        {trigger: ".o_list_view .o_data_row:contains(Roof)"},
        {trigger: ".o_searchview_dropdown_toggler", run: "click"},
        {trigger: ".o_filter_menu .o_menu_item:contains(In an SMS flow)", run: "click"},
        {trigger: ".o_searchview_facet:contains(In an SMS flow)"},
        {trigger: ".o_group_by_menu .o_menu_item:contains(SMS step)", run: "click"},
        {trigger: ".o_group_header:contains('Sale (1)')", run: "click"},
        {
            content: "A step is set for those that are chosen",
            trigger: ".o_data_row:contains(Roof) .o_list_record_selector input",
            run: "click",
        },
        {trigger: ".o_cp_action_menus button:contains(Actions)", run: "click"},
        {trigger: ".o-dropdown--menu .o_menu_item:contains(Set SMS step)", run: "click"},
        ...choose("step_id", "Confirmed"),
        {trigger: ".modal [name=preview]:contains('Thank you for your order!')"},
        {trigger: ".modal button[name=action_start]", run: "click"},
        {trigger: ".o_notification:contains('1 put into Confirmed')"},
        {trigger: ".o_group_header:contains('Confirmed (1)')"},
    ],
});

/** The same on contacts. */
tours.add("sms_flow_contact", {
    steps: () => [
        {trigger: "button[name=action_sms_flow_start]", run: "click"},
        ...choose("step_id", "Q1"),
        {trigger: ".modal button[name=action_start]", run: "click"},
        {trigger: "body:not(:has(.modal))"},
        {trigger: "button[name=action_sms_flow_view]:contains(Q1)"},
        {trigger: ".o-mail-Message:contains('Question 1?')"},
    ],
});

/** Somebody sees to what needs attention. */
tours.add("sms_flow_attention", {
    steps: () => [
        {trigger: ".alert-danger:contains('There is no number to send to')"},
        {trigger: ".alert-danger button:contains(See to it)", run: "click"},
        {trigger: ".o_form_view .alert-danger:contains('Needs attention'):contains('no number')"},
        {trigger: "button[name=action_open_record]", run: "click"},
        {trigger: "[name=phone]:visible input", run: "edit +4791200001"},
        ...stepUtils.saveForm(),
        {trigger: "button[name=action_sms_flow_view]:contains(Sale)", run: "click"},
        {trigger: "button[name=action_retry]", run: "click"},
        {trigger: ".o_form_view:not(:has(button[name=action_retry])) [name=record_name]"},
        {trigger: "[name=entry_ids] .o_data_row:contains('Hi Anna')"},
    ],
});

/** A manager looks at the list of what needs attention. */
tours.add("sms_flow_attention_list", {
    steps: () => [
        {trigger: ".o_list_view .o_data_row:contains(Roof):contains('no number to send to')"},
        {trigger: ".o_data_row:contains(Roof) .o_list_record_selector input", run: "click"},
        {trigger: "button[name=action_dismiss]", run: "click"},
        {trigger: ".o_nocontent_help:contains(Nothing needs you)"},
    ],
});

/** Many leads are put into a step; how far it is shows by itself. */
tours.add("sms_flow_batch", {
    steps: () => [
        {trigger: ".o_list_view thead .o_list_record_selector input", run: "click"},
        {trigger: ".o_cp_action_menus button:contains(Actions)", run: "click"},
        {trigger: ".o-dropdown--menu .o_menu_item:contains(Set SMS step)", run: "click"},
        {trigger: ".modal [name=flow_id] input:value('Heat pumps')"},
        ...choose("step_id", "Sale"),
        {trigger: ".modal:contains('in the background')"},
        {trigger: ".modal button[name=action_start]", run: "click"},
        {trigger: ".o_statusbar_status .o_arrow_button_current:contains(Waiting)"},
        {trigger: "button[name=action_stop]", run: "click"},
        {trigger: ".alert-warning:contains(Stopped)"},
        {trigger: "button[name=action_resume]", run: "click"},
        {
            content: "It is done meanwhile; nobody reloads the page",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Done)",
            timeout: 20000,
        },
        {trigger: "[name=progress]:contains('100')"},
        {trigger: "button[name=action_view_failed]:contains(1)", run: "click"},
        {trigger: ".o_data_row:contains(Mute):contains('no number to send to')"},
    ],
});

/** The manager finds the flow at the team, the sender and the texts. */
tours.add("sms_flow_team", {
    steps: () => [
        {trigger: "button[name=action_view_sms_flow]", run: "click"},
        {trigger: ".o_form_view .ribbon:contains(Running)"},
        {trigger: "a[name=sms]", run: "click"},
        {trigger: "[name=sender_id] input"},
        {trigger: "button[name=action_view_runs]:contains(1)", run: "click"},
        {
            trigger: ".o_data_row:contains(Roof):contains(Sale) td[name=record_name]",
            run: "click",
        },
        {trigger: ".o_form_view [name=step_id]:contains(Sale)"},
        stepUtils.showAppsMenuItem(),
        {trigger: ".o_app[data-menu-xmlid='sms_gateway.menu_root']", run: "click"},
        {trigger: "a[data-menu-xmlid='sms_gateway.menu_messages']", run: "click"},
        {trigger: ".o_list_view .o_data_row:contains(Hi Anna)"},
        {trigger: ".o_searchview_dropdown_toggler", run: "click"},
        {trigger: ".o_group_by_menu .o_menu_item:contains(SMS step)", run: "click"},
        {trigger: ".o_group_header:contains(Sale)"},
        {trigger: "button[data-menu-xmlid='sms_gateway.menu_configuration']", run: "click"},
        {trigger: "a[data-menu-xmlid='sms_gateway.menu_senders']", run: "click"},
        {trigger: ".o_data_row:contains(Team) [name=flow_ids]:contains(Heat pumps)"},
    ],
});
