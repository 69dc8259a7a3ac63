-- disconnect the copy from Plivo
UPDATE sms_gateway
   SET plivo_auth_id = NULL,
       plivo_auth_token = NULL;
