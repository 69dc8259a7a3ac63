from . import (
    sms_demo_call,
    sms_demo_carrier,
    sms_demo_phone,
    sms_demo_text,
    sms_gateway,
    sms_gateway_adapter_demo,
)
