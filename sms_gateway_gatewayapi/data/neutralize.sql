-- disconnect the copy from GatewayAPI
UPDATE sms_gateway
   SET gatewayapi_token = NULL,
       gatewayapi_secret = NULL;
