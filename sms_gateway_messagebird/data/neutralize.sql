-- disconnect the copy from MessageBird and Bird
UPDATE sms_gateway
   SET messagebird_access_key = NULL,
       messagebird_signing_key = NULL,
       bird_api_key = NULL,
       bird_webhook_secret = NULL;
