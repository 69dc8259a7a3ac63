-- disconnect the copy from Vonage
UPDATE sms_gateway
   SET vonage_api_key = NULL,
       vonage_api_secret = NULL,
       vonage_signature_secret = NULL;
