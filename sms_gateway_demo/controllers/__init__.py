from . import sms_gateway_demo
