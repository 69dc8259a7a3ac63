-- disconnect the copy from Kannel
UPDATE sms_gateway
   SET kannel_url = NULL,
       kannel_username = NULL,
       kannel_password = NULL;
