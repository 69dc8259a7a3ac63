{
    "name": "SMS Gateway: Demo Carrier",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tools",
    "summary": "A carrier without a carrier: customers' telephones in the browser.",
    "author": "Two-way SMS",
    "license": "LGPL-3",
    "depends": ["sms_gateway"],
    "data": [
        "security/ir.model.access.csv",
        "security/sms_gateway_demo_security.xml",
        "data/ir_cron_data.xml",
        "views/sms_demo_call_views.xml",
        "views/sms_demo_phone_views.xml",
        "views/sms_gateway_views.xml",
    ],
    "demo": [
        "demo/res_users_demo.xml",
        "demo/sms_gateway_demo.xml",
        "demo/res_partner_demo.xml",
        "demo/sms_demo_phone_demo.xml",
    ],
    "assets": {
        "web.assets_backend": ["sms_gateway_demo/static/src/**/*"],
        "web.assets_tests": ["sms_gateway_demo/static/tests/tours/**/*"],
    },
}
