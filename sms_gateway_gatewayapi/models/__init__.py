from . import sms_gateway
from . import sms_gateway_adapter_gatewayapi_common
from . import sms_gateway_adapter_gatewayapi
from . import sms_gateway_adapter_gatewayapi_legacy
