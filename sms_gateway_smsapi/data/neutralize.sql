-- disconnect the copy from SMSAPI
UPDATE sms_gateway
   SET smsapi_token = NULL;
