{
    "name": "SMS Callback Notification: Demo Carrier",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tools",
    "summary": "The Auto Agent calls the demo carrier's telephones: tried without an exchange",
    "author": "Two-way SMS",
    "license": "LGPL-3",
    "depends": ["sms_callback_notify", "sms_gateway_demo"],
    "data": [
        "security/ir.model.access.csv",
        "security/sms_demo_voice_security.xml",
        "views/contact_center_connector_views.xml",
    ],
    "demo": ["demo/sms_callback_notify_demo.xml"],
    "assets": {
        "web.assets_backend": ["sms_callback_notify_demo/static/src/**/*"],
        "web.assets_tests": ["sms_callback_notify_demo/static/tests/tours/**/*"],
    },
    "auto_install": True,
}
