-- disconnect the copy from Telnyx
UPDATE sms_gateway
   SET telnyx_api_key = NULL,
       telnyx_public_key = NULL;
