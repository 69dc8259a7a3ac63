import {rpc} from "@web/core/network/rpc";
import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");
const OPEN_APP = [
    stepUtils.showAppsMenuItem(),
    {trigger: ".o_app[data-menu-xmlid='contact_center.menu_root']", run: "click"},
];
const CARD = ".o_contact_center_board .o_kanban_record:contains(Support)";

/** Call a method of callbacks, as somebody else would meanwhile. */
function call(method, ...args) {
    return rpc(`/web/dataset/call_kw/contact.center.callback/${method}`, {
        model: "contact.center.callback",
        method,
        args,
        kwargs: {},
    });
}

/** The agent: board, the callbacks of a service, the first of them; then one by hand. */
tours.add("contact_center_agent", {
    steps: () => [
        ...OPEN_APP,
        {trigger: `${CARD}:contains(Always open):contains(Not known)`},
        {trigger: `${CARD} a[name=action_view_callbacks]:contains(2)`, run: "click"},
        {
            content: "The first in line comes first",
            trigger: ".o_data_row:first:contains(Anna Hansen) [name=name]",
            run: "click",
        },
        {
            content: "The number is a link that a telephone takes",
            trigger: ".o_form_view [name=number] a[href^='tel:']",
        },
        {trigger: ".o_form_view:not(:has(button[name=action_done]))"},
        {trigger: "button[name=action_claim]", run: "click"},
        {trigger: ".alert-info:contains(Being called)"},
        {trigger: "[name=note] textarea", run: "edit Comes on Friday"},
        {trigger: "button[name=action_done]", run: "click"},
        {trigger: ".o_form_view:not(:has(button[name=action_claim]))"},
        {trigger: "[name=close_reason]:contains(Called back)"},
        {trigger: ".o_breadcrumb a:contains(Callbacks)", run: "click"},
        {trigger: ".o_data_row:contains(Berit Berg) [name=position]:contains(1)"},
        {trigger: ".o_list_view:not(:contains(Anna Hansen)) .o_list_button_add", run: "click"},
        {trigger: ".o_form_view [name=service_id] input:value(Support)"},
        {trigger: "[name=number] input", run: "edit 90 61 23 55"},
        {trigger: "[name=name] input", run: "edit Kari Lie"},
        ...stepUtils.saveForm(),
        {trigger: "[name=number]:contains('+4790612355')"},
        {trigger: ".o_statusbar_status .o_arrow_button_current:contains(Waiting)"},
        {trigger: "[data-menu-xmlid='contact_center.menu_board']", run: "click"},
        {
            content: "Somebody cancels one of the two",
            trigger: `${CARD} a[name=action_view_callbacks]:contains(2)`,
            run: async () =>
                call("action_cancel", await call("search", [["name", "=", "Kari Lie"]])),
        },
        {
            content: "The board shows it by itself",
            trigger: `${CARD} a[name=action_view_callbacks]:contains(1)`,
        },
    ],
});

/** The administrator: a connector, its token in a window, and no more of it afterwards. */
tours.add("contact_center_token", {
    steps: () => [
        ...OPEN_APP,
        {trigger: "[data-menu-xmlid='contact_center.menu_configuration']", run: "click"},
        {trigger: "[data-menu-xmlid='contact_center.menu_connectors']", run: "click"},
        {trigger: ".o_list_button_add", run: "click"},
        {trigger: ".o_form_view [name=name] input", run: "edit Exchange in Oslo"},
        {trigger: ".o_form_view [name=code] input", run: "edit oslo"},
        ...stepUtils.saveForm(),
        {trigger: "[name=api_url]:contains('/cc/api/v1')"},
        {trigger: "button[name=action_new_token]", run: "click"},
        {trigger: ".modal [name=bearer]:contains('Authorization: Bearer ')"},
        {trigger: ".modal [name=basic]:contains('oslo:')"},
        {trigger: ".modal [name=token] .o_clipboard_button:enabled"},
        {trigger: ".modal footer button:contains(I have copied it)", run: "click"},
        {trigger: "body:not(:has(.modal))"},
        {trigger: ".o_form_view [name=token_hint]:contains(…)"},
    ],
});
