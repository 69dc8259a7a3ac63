{
    "name": "SMS Callback Notification",
    "version": "19.0.1.0.0",
    "category": "Productivity/SMS",
    "summary": "Texts for who waits in a telephone queue, or to be called back",
    "author": "Two-way SMS",
    "license": "LGPL-3",
    "depends": ["sms_inbox", "contact_center"],
    "data": [
        "views/contact_center_call_views.xml",
        "views/contact_center_callback_views.xml",
        "views/contact_center_service_views.xml",
    ],
    "assets": {"web.assets_tests": ["sms_callback_notify/static/tests/tours/**/*"]},
}
