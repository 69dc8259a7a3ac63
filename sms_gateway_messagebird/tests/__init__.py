from . import test_sms_gateway_bird
from . import test_sms_gateway_messagebird
