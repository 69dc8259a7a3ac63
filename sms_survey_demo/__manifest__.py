{
    "name": "SMS Survey: Demo Data",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tools",
    "summary": "The demo survey, asked through the demo carrier",
    "author": "Two-way SMS",
    "license": "LGPL-3",
    "depends": ["sms_survey", "sms_gateway_demo"],
    "demo": ["demo/sms_survey_demo.xml"],
    "auto_install": True,
}
