-- disconnect the copy from 46elks
UPDATE sms_gateway
   SET elks_username = NULL,
       elks_password = NULL;
