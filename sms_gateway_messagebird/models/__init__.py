from . import sms_gateway
from . import sms_gateway_adapter_bird
from . import sms_gateway_adapter_messagebird
