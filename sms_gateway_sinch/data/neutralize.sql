-- disconnect the copy from Sinch
UPDATE sms_gateway
   SET sinch_plan = NULL,
       sinch_token = NULL,
       sinch_secret = NULL;
