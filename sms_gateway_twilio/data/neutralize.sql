-- disconnect the copy from Twilio
UPDATE sms_gateway
   SET twilio_account_sid = NULL,
       twilio_auth_token = NULL,
       twilio_api_key_sid = NULL,
       twilio_api_key_secret = NULL,
       twilio_shared_key = NULL;
