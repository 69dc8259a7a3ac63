{
    "name": "SMS Inbox",
    "version": "19.0.1.0.0",
    "category": "Productivity/SMS",
    "summary": "Every reply finds its home: on the lead or contact it answers",
    "author": "Two-way SMS",
    "license": "LGPL-3",
    "depends": ["sms_gateway", "crm", "crm_sms", "contacts"],
    "data": [
        "data/mail_message_subtype_data.xml",
        "views/sms_message_views.xml",
        "views/sms_inbox_menus.xml",
    ],
    "demo": ["demo/crm_lead_demo.xml"],
    "post_init_hook": "post_init_hook",
}
