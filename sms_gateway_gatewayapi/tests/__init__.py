from . import test_sms_gateway_gatewayapi
from . import test_sms_gateway_gatewayapi_legacy
