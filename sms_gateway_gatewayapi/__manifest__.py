{
    "name": "SMS Gateway: GatewayAPI",
    "summary": "Send and receive texts through GatewayAPI",
    "version": "19.0.1.0.0",
    "category": "Productivity/SMS",
    "description": " ",  # Not empty, or Odoo reads README.md as reStructuredText.
    "author": "Two-way SMS",
    "license": "LGPL-3",
    "depends": ["sms_gateway"],
    "external_dependencies": {"python": ["PyJWT"]},
    "data": ["views/sms_gateway_views.xml"],
}
