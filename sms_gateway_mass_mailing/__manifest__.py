{
    "name": "SMS Gateway: Mass Mailing",
    "version": "19.0.1.0.0",
    "category": "Productivity/SMS",
    "summary": "SMS mailings leave through your own senders",
    "author": "Two-way SMS",
    "license": "LGPL-3",
    "depends": ["sms_gateway", "mass_mailing_sms"],
    "data": ["views/mailing_mailing_views.xml"],
    "auto_install": True,
}
